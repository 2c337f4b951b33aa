//! Periodic work as PostgreSQL remembers it: written by the scheduler that leads, read and requested by
//! operators. The tasks themselves are a table in the scheduler.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgPool;
use sqlx::types::Json;

/// A task as the scheduler declares it.
#[derive(Debug, Clone)]
pub struct Declaration {
    pub name: &'static str,
    pub schedule: String,
    pub timeout: Duration,
    /// When it runs first.
    pub next_run_at: DateTime<Utc>,
}

/// How far a task has come: what the next leader goes on from.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Its name.
    pub name: String,
    /// When the last run started; null before the first.
    pub started_at: Option<DateTime<Utc>>,
    /// When the last run ended; null while it is under way, and before the first.
    pub finished_at: Option<DateTime<Utc>>,
    /// When a run last succeeded.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// The duration of the last run that ended, in seconds.
    pub duration_seconds: Option<f64>,
    /// Why the last run that ended failed; null if it succeeded.
    pub error: Option<String>,
    /// How many runs failed since one last succeeded.
    pub failures_in_a_row: i32,
    /// When it runs next.
    pub next_run_at: DateTime<Utc>,
    /// How many of the requests are served: a run that began after them has ended.
    pub requests_served: i64,
}

/// A task that the scheduler runs periodically.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledTask {
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub progress: Progress,
    /// When it runs: `every` and the pause between two runs, or a cron expression in UTC. With `at once, then` it also
    /// runs whenever a scheduler begins to lead.
    pub schedule: String,
    /// The longest time that a run may take, in seconds.
    pub timeout_seconds: f64,
    /// How often operators requested a run beside the schedule.
    pub requests: i64,
}

/// Makes the rows those of the declared tasks, and answers how far each has come. One that is new, or whose schedule
/// changed, waits for its first run.
pub async fn declare(pool: &PgPool, tasks: &[Declaration]) -> Result<Vec<Progress>, sqlx::Error> {
    let names: Vec<&str> = tasks.iter().map(|task| task.name).collect();
    let schedules: Vec<&str> = tasks.iter().map(|task| task.schedule.as_str()).collect();
    let timeouts: Vec<f64> = tasks
        .iter()
        .map(|task| task.timeout.as_secs_f64())
        .collect();
    let first_runs: Vec<DateTime<Utc>> = tasks.iter().map(|task| task.next_run_at).collect();
    sqlx::query_as(
        "with gone as (
             delete from scheduled_tasks where name <> all($1)
         )
         insert into scheduled_tasks (name, schedule, timeout_seconds, next_run_at, place)
         select name, schedule, timeout, first_run_at, place
         from unnest($1, $2, $3, $4) with ordinality as declared (name, schedule, timeout, first_run_at, place)
         on conflict (name) do update
         set schedule = excluded.schedule,
             timeout_seconds = excluded.timeout_seconds,
             place = excluded.place,
             next_run_at = case scheduled_tasks.schedule
                 when excluded.schedule then scheduled_tasks.next_run_at
                 else excluded.next_run_at
             end
         returning name, started_at, finished_at, succeeded_at, duration_seconds, error, failures_in_a_row,
                   next_run_at, requests_served",
    )
    .bind(names)
    .bind(schedules)
    .bind(timeouts)
    .bind(first_runs)
    .fetch_all(pool)
    .await
}

/// Writes down how far tasks have come.
pub async fn record(pool: &PgPool, progress: &[Progress]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update scheduled_tasks
         set started_at = (run ->> 'startedAt')::timestamptz,
             finished_at = (run ->> 'finishedAt')::timestamptz,
             succeeded_at = (run ->> 'succeededAt')::timestamptz,
             duration_seconds = (run ->> 'durationSeconds')::double precision,
             error = run ->> 'error',
             failures_in_a_row = (run ->> 'failuresInARow')::integer,
             next_run_at = (run ->> 'nextRunAt')::timestamptz,
             requests_served = (run ->> 'requestsServed')::bigint
         from jsonb_array_elements($1) as run
         where name = run ->> 'name'",
    )
    .bind(Json(progress))
    .execute(pool)
    .await?;
    Ok(())
}

/// How often a run of each task was requested.
pub async fn list_requests(pool: &PgPool) -> Result<HashMap<String, i64>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("select name, requests from scheduled_tasks")
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().collect())
}

/// All tasks, in the scheduler's order.
pub async fn list(pool: &PgPool) -> Result<Vec<ScheduledTask>, sqlx::Error> {
    sqlx::query_as(
        "select name, started_at, finished_at, succeeded_at, duration_seconds, error, failures_in_a_row,
                next_run_at, requests_served, schedule, timeout_seconds, requests
         from scheduled_tasks
         order by place, name",
    )
    .fetch_all(pool)
    .await
}

/// Requests a run of a task now, beside its schedule. Answers how often it was requested by then; none if no
/// task has this name.
pub async fn request(pool: &PgPool, name: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "update scheduled_tasks
         set requests = requests + 1
         where name = $1
         returning requests",
    )
    .bind(name)
    .fetch_optional(pool)
    .await
}
