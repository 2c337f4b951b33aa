//! What the scheduler looks for: jobs that are due and not running, and jobs of dead workers.
//!
//! The sweep is relay, timer and reconciler in one. A push is idempotent, so it pushes whatever is
//! due without asking whether somebody pushed it before: a fresh job whose push was lost, a retry
//! whose time has come, and all of them after Redis lost its memory.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::enqueue::lane_of;
use crate::ids::JobId;
use crate::limits::{SWEEP_AGE_MIN, SWEEP_JOBS_MAX};
use crate::queue::{Lane, Wake};

/// How far the current round of the sweep has come; a round ends when a step finds less than its
/// maximum.
#[derive(Debug, Clone, Default)]
pub struct SweepCursor(Option<(DateTime<Utc>, Uuid)>);

#[derive(sqlx::FromRow)]
struct DueRow {
    id: Uuid,
    queue: String,
    lane: String,
    fence: i32,
    trace: String,
    run_at: DateTime<Utc>,
}

/// The next jobs that are due and not running, oldest first, at most [`SWEEP_JOBS_MAX`].
///
/// A job that never ran was pushed by its maker a moment ago, so it is left alone for
/// [`SWEEP_AGE_MIN`]; a retry is pushed by nobody else, so it is taken the moment it is due.
pub async fn due(
    pool: &PgPool,
    cursor: &mut SweepCursor,
) -> Result<Vec<(String, Lane, Wake)>, sqlx::Error> {
    let (after_run_at, after_id) = cursor.0.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let rows: Vec<DueRow> = sqlx::query_as(
        "select id, queue, lane, fence, trace, run_at
         from jobs
         where state = 'ready'
           and run_at <= now() - case when fence = 0 then make_interval(secs => $3) else interval '0' end
           and (run_at, id) > ($1, $2)
         order by run_at, id
         limit $4",
    )
    .bind(after_run_at)
    .bind(after_id)
    .bind(SWEEP_AGE_MIN.as_secs_f64())
    .bind(SWEEP_JOBS_MAX)
    .fetch_all(pool)
    .await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == SWEEP_JOBS_MAX);
    cursor.0 = rows
        .last()
        .filter(|_| is_full)
        .map(|row| (row.run_at, row.id));
    Ok(rows
        .into_iter()
        .map(|row| {
            let wake = Wake {
                job: row.id,
                fence: row.fence,
                trace: Some(row.trace),
            };
            (row.queue, lane_of(&row.lane), wake)
        })
        .collect())
}

/// A job taken back from a worker that stopped renewing.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Reclaimed {
    #[sqlx(rename = "id")]
    pub job: JobId,
    pub name: String,
    pub crashes: i32,
}

/// Makes the jobs of dead workers ready again.
pub async fn reclaim(pool: &PgPool) -> Result<Vec<Reclaimed>, sqlx::Error> {
    sqlx::query_as(
        "with dead as (
             select jobs.id
             from jobs
             left join workers
               on workers.id = jobs.worker
             where jobs.state = 'running'
               and (workers.id is null or workers.alive_until < now())
             order by jobs.id
             limit $1
             for update of jobs skip locked
         ),
         reclaimed as (
             update jobs
             set state = 'ready',
                 worker = null,
                 crashes = crashes + 1,
                 reason = 'its worker stopped renewing',
                 run_at = now()
             from dead
             where jobs.id = dead.id
             returning jobs.id, name, fence, crashes
         ),
         noted as (
             insert into job_faults (job_id, fence, outcome, reason)
             select id, fence, 'crash', 'its worker stopped renewing'
             from reclaimed
         )
         select id, name, crashes
         from reclaimed",
    )
    .bind(SWEEP_JOBS_MAX)
    .fetch_all(pool)
    .await
}

/// Takes away workers whose last heartbeat is older.
pub async fn prune_workers(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned =
        sqlx::query("delete from workers where alive_until < now() - make_interval(secs => $1)")
            .bind(kept.as_secs_f64())
            .execute(pool)
            .await?;
    Ok(pruned.rows_affected())
}

/// Takes away jobs that ended before that. Quarantined jobs stay until an operator decides.
pub async fn prune_finished(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let mut pruned = 0;
    loop {
        let rows = sqlx::query(
            "delete from jobs
             where id in (
                 select id
                 from jobs
                 where state in ('done', 'cancelled')
                   and finished_at < now() - make_interval(secs => $1)
                 limit 5000
             )",
        )
        .bind(kept.as_secs_f64())
        .execute(pool)
        .await?
        .rows_affected();
        pruned += rows;
        if rows == 0 {
            return Ok(pruned);
        }
    }
}
