//! What operators do with jobs and queues: list, inspect, retry, cancel, pause, resume.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{JobState, JobsError, QueueSpec};
use crate::ids::JobId;
use crate::limits::PAGE_ROWS_MAX;
use crate::telemetry::metrics;

/// Which jobs to list; newest first.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub queue: Option<String>,
    pub name: Option<String>,
    pub state: Option<JobState>,
    pub subject: Option<Uuid>,
    /// Jobs made before this one.
    pub before: Option<JobId>,
    pub limit: i64,
}

/// A job in a list.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct JobSummary {
    pub id: JobId,
    /// The kind of job.
    pub name: String,
    /// The queue that it is served from.
    pub queue: String,
    /// The lane of that queue: `fast` or `bulk`.
    pub lane: String,
    pub state: JobState,
    /// What it is about: an upload, a purchase, a payment, a dispute, an endpoint.
    pub subject: Uuid,
    /// The request that caused it.
    #[serde(rename = "requestId")]
    pub trace: String,
    /// Counts its leases: a worker whose lease is over writes nothing.
    pub fence: i32,
    /// Runs that failed.
    pub attempts: i32,
    /// Runs that were put off because a part of ours was away.
    pub snoozes: i32,
    /// Runs whose worker was gone before they ended.
    pub crashes: i32,
    /// Why its last run failed.
    pub reason: Option<String>,
    /// The worker that runs it.
    pub worker: Option<Uuid>,
    /// When it may run.
    pub run_at: DateTime<Utc>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When its last run began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A job with what went wrong in its runs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: JobSummary,
    /// The runs that did not succeed.
    pub history: Vec<JobFault>,
}

/// One run that did not end in success.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
pub struct JobFault {
    /// The lease of that run.
    pub fence: i32,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The worker that ran it.
    pub worker: Option<Uuid>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

/// The jobs that match.
pub async fn list_jobs(pool: &PgPool, filter: &JobFilter) -> Result<Vec<JobSummary>, sqlx::Error> {
    sqlx::query_as(
        "select id, name, queue, lane, state, subject, trace, fence, attempts, snoozes, crashes, reason,
                worker, run_at, created_at, started_at, finished_at
         from jobs
         where ($1::text is null or queue = $1)
           and ($2::text is null or name = $2)
           and ($3::text is null or state = $3)
           and ($4::uuid is null or subject = $4)
           and ($5::uuid is null or id < $5)
         order by id desc
         limit $6",
    )
    .bind(&filter.queue)
    .bind(&filter.name)
    .bind(filter.state)
    .bind(filter.subject)
    .bind(filter.before)
    .bind(filter.limit.clamp(1, PAGE_ROWS_MAX))
    .fetch_all(pool)
    .await
}

/// One job with its history.
pub async fn find_job(pool: &PgPool, id: JobId) -> Result<JobDetail, JobsError> {
    let job = sqlx::query_as(
        "select id, name, queue, lane, state, subject, trace, fence, attempts, snoozes, crashes, reason,
                worker, run_at, created_at, started_at, finished_at
         from jobs
         where id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?
    .ok_or(JobsError::NotFound)?;
    let history = sqlx::query_as(
        "select fence, outcome, reason, worker, at
         from job_faults
         where job_id = $1
         order by job_faults.id",
    )
    .bind(id)
    .fetch_all(pool)
    .await?;
    Ok(JobDetail { job, history })
}

/// Makes a waiting, cancelled or quarantined job due now, with all its attempts. Answers the state
/// it was in.
pub async fn requeue_in_tx(conn: &mut PgConnection, id: JobId) -> Result<JobState, JobsError> {
    let state: JobState = sqlx::query_scalar("select state from jobs where id = $1 for update")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(JobsError::NotFound)?;
    if matches!(state, JobState::Running | JobState::Done) {
        return Err(JobsError::WrongState(state.to_string()));
    }
    sqlx::query(
        "update jobs
         set state = 'ready', attempts = 0, snoozes = 0, crashes = 0, run_at = now(),
             finished_at = null, cancel_requested = false
         where id = $1",
    )
    .bind(id)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into job_faults (job_id, fence, outcome, reason)
         select id, fence, 'operator', 'retried by an operator'
         from jobs
         where id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(state)
}

/// Asks the worker that runs the job to stop it, for that reason. False if nobody runs it.
pub async fn request_cancel(pool: &PgPool, id: JobId, reason: &str) -> Result<bool, sqlx::Error> {
    let asked = sqlx::query(
        "update jobs
         set cancel_requested = true, reason = $2
         where id = $1
           and state = 'running'",
    )
    .bind(id)
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(asked.rows_affected() == 1)
}

/// Stops a queue: what runs ends, nothing new starts, whichever worker hears of it when.
pub async fn pause_queue(pool: &PgPool, queue: &str, reason: &str) -> Result<(), sqlx::Error> {
    set_paused(pool, queue, true, reason).await
}

/// Lets a queue run again.
pub async fn resume_queue(pool: &PgPool, queue: &str) -> Result<(), sqlx::Error> {
    set_paused(pool, queue, false, "").await
}

async fn set_paused(
    pool: &PgPool,
    queue: &str,
    paused: bool,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into queue_controls (queue, paused, reason)
         values ($1, $2, $3)
         on conflict (queue) do update
         set paused = excluded.paused, reason = excluded.reason, changed_at = now()",
    )
    .bind(queue)
    .bind(paused)
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(())
}

/// A queue as PostgreSQL knows it.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct QueueState {
    /// Its name.
    pub queue: String,
    /// Whether it is paused.
    pub paused: bool,
    /// Why it is paused.
    pub pause_reason: Option<String>,
    /// Jobs that may run now.
    pub due: i64,
    /// Jobs that may run later.
    pub later: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that were set aside for an operator.
    pub quarantined: i64,
    /// For how long the oldest due job has waited, in seconds.
    pub oldest_due_seconds: f64,
}

/// All queues.
pub async fn queue_states(pool: &PgPool) -> Result<Vec<QueueState>, sqlx::Error> {
    let names: Vec<&str> = QueueSpec::ALL.iter().map(|queue| queue.name).collect();
    sqlx::query_as(
        "select known.queue,
                coalesce(control.paused, false) as paused,
                nullif(control.reason, '') as pause_reason,
                count(jobs.id) filter (where jobs.state = 'ready' and jobs.run_at <= now()) as due,
                count(jobs.id) filter (where jobs.state = 'ready' and jobs.run_at > now()) as later,
                count(jobs.id) filter (where jobs.state = 'running') as running,
                count(jobs.id) filter (where jobs.state = 'quarantined') as quarantined,
                coalesce(extract(epoch from now() - min(jobs.run_at) filter (
                    where jobs.state = 'ready' and jobs.run_at <= now()
                )), 0)::float8 as oldest_due_seconds
         from unnest($1::text[]) with ordinality as known (queue, place)
         left join queue_controls as control
           on control.queue = known.queue
         left join jobs
           on jobs.queue = known.queue
          and jobs.state in ('ready', 'running', 'quarantined')
         group by known.queue, known.place, control.paused, control.reason
         order by known.place",
    )
    .bind(names)
    .fetch_all(pool)
    .await
}

/// Writes the queues' state into their gauges.
pub async fn observe_queues(pool: &PgPool) -> Result<(), sqlx::Error> {
    for state in queue_states(pool).await? {
        let counts = [
            ("due", state.due),
            ("later", state.later),
            ("running", state.running),
            ("quarantined", state.quarantined),
        ];
        for (name, count) in counts {
            metrics()
                .queue_jobs
                .with_label_values(&[state.queue.as_str(), name])
                .set(count);
        }
        metrics()
            .queue_oldest_due_seconds
            .with_label_values(&[state.queue.as_str()])
            .set(state.oldest_due_seconds);
    }
    Ok(())
}

/// Bytes found in a queue that are no wake-up call.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct QueuedPayload {
    /// Its number.
    pub id: i64,
    /// The queue that it was found in.
    pub queue: String,
    /// Its id there.
    pub task_id: String,
    /// Its bytes as text; what is no UTF-8 is replaced.
    pub payload: String,
    /// Why it could not be read.
    pub reason: String,
    /// When it was found.
    pub seen_at: DateTime<Utc>,
}

/// The payloads that did not decode, newest first.
pub async fn list_payloads(pool: &PgPool) -> Result<Vec<QueuedPayload>, sqlx::Error> {
    sqlx::query_as(
        "select id, queue, task_id, encode(substring(bytes for 4096), 'escape') as payload, reason, seen_at
         from quarantined_payloads
         order by id desc
         limit $1",
    )
    .bind(PAGE_ROWS_MAX)
    .fetch_all(pool)
    .await
}

/// Forgets one of them.
pub async fn drop_payload(pool: &PgPool, id: i64) -> Result<(), JobsError> {
    let dropped = sqlx::query("delete from quarantined_payloads where id = $1")
        .bind(id)
        .execute(pool)
        .await?;
    if dropped.rows_affected() == 1 {
        Ok(())
    } else {
        Err(JobsError::NotFound)
    }
}
