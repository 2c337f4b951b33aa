//! How a run ends when it is not done: retry, snooze, cancelled, quarantined, given back.

use std::time::Duration;

use rand::RngExt as _;
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::lease::held;
use super::{Lease, LeaseLost};
use crate::ids::{JobId, WorkerId};

/// First delay of a retry; it doubles.
const RETRY_SECONDS_MIN: f64 = 1.0;
const RETRY_SECONDS_MAX: f64 = 60.0;
/// First delay of a snooze; it doubles.
const SNOOZE_SECONDS_MIN: f64 = 0.25;
const SNOOZE_SECONDS_MAX: f64 = 15.0;

/// After so many failed attempts, the next one comes this much later (with jitter).
pub fn retry_delay(attempts: i32) -> Duration {
    backoff(RETRY_SECONDS_MIN, RETRY_SECONDS_MAX, attempts)
}

/// After so many faults of ours in a row, the next try comes this much later (with jitter).
pub fn snooze_delay(snoozes: i32) -> Duration {
    backoff(SNOOZE_SECONDS_MIN, SNOOZE_SECONDS_MAX, snoozes)
}

fn backoff(min: f64, max: f64, exponent: i32) -> Duration {
    let seconds = (min * 2_f64.powi(exponent.clamp(0, 20))).min(max);
    Duration::from_secs_f64(seconds * rand::rng().random_range(0.75..1.25))
}

/// A failed attempt: the job runs again after the delay.
pub async fn retry(
    executor: impl PgExecutor<'_>,
    lease: &Lease,
    outcome: &str,
    reason: &str,
    delay: Duration,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    set_ready(executor, lease, outcome, reason, delay, 1).await
}

/// A fault of ours: the job runs again after the delay, and no attempt is burnt.
pub async fn snooze(
    executor: impl PgExecutor<'_>,
    lease: &Lease,
    reason: &str,
    delay: Duration,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    set_ready(executor, lease, "snooze", reason, delay, 0).await
}

async fn set_ready(
    executor: impl PgExecutor<'_>,
    lease: &Lease,
    outcome: &str,
    reason: &str,
    delay: Duration,
    burnt: i32,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let changed = sqlx::query(
        "with ended as (
             update jobs
             set state = 'ready',
                 worker = null,
                 attempts = attempts + $6,
                 snoozes = case when $6 = 0 then snoozes + 1 else 0 end,
                 crashes = 0,
                 reason = $5,
                 run_at = now() + make_interval(secs => $7)
             where id = $1
               and fence = $2
               and worker = $3
               and state = 'running'
             returning id
         )
         insert into job_faults (job_id, fence, worker, outcome, reason)
         select id, $2, $3, $4, $5
         from ended",
    )
    .bind(lease.job)
    .bind(lease.fence)
    .bind(lease.worker)
    .bind(outcome)
    .bind(reason)
    .bind(burnt)
    .bind(delay.as_secs_f64())
    .execute(executor)
    .await?;
    Ok(held(&changed))
}

/// Ends a running job with a reason that the client sees through its subject.
pub async fn cancel_in_tx(
    conn: &mut PgConnection,
    lease: &Lease,
    reason: &str,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    end_in_tx(conn, lease, "cancelled", "cancel", reason).await
}

/// Sets a job that keeps failing aside, alone, with its history.
pub async fn quarantine_in_tx(
    conn: &mut PgConnection,
    lease: &Lease,
    reason: &str,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    end_in_tx(conn, lease, "quarantined", "quarantine", reason).await
}

async fn end_in_tx(
    conn: &mut PgConnection,
    lease: &Lease,
    state: &str,
    outcome: &str,
    reason: &str,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let changed = sqlx::query(
        "with ended as (
             update jobs
             set state = $4, worker = null, reason = $6, finished_at = now()
             where id = $1
               and fence = $2
               and worker = $3
               and state = 'running'
             returning id
         )
         insert into job_faults (job_id, fence, worker, outcome, reason)
         select id, $2, $3, $5, $6
         from ended",
    )
    .bind(lease.job)
    .bind(lease.fence)
    .bind(lease.worker)
    .bind(state)
    .bind(outcome)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(held(&changed))
}

/// Ends a job that nobody runs. False if it is not waiting.
pub async fn cancel_waiting_in_tx(
    conn: &mut PgConnection,
    job: JobId,
    state: super::JobState,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let changed = sqlx::query(
        "with ended as (
             update jobs
             set state = $2, reason = $3, finished_at = now()
             where id = $1
               and state = 'ready'
             returning id, fence
         )
         insert into job_faults (job_id, fence, outcome, reason)
         select id, fence, case when $2 = 'cancelled' then 'operator' else 'quarantine' end, $3
         from ended",
    )
    .bind(job)
    .bind(state)
    .bind(reason)
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// A worker that stops hands back what it still holds; nothing is counted against the jobs.
pub async fn give_back(pool: &PgPool, worker: WorkerId) -> Result<u64, sqlx::Error> {
    let given = sqlx::query(
        "update jobs
         set state = 'ready', worker = null, run_at = now()
         where worker = $1
           and state = 'running'",
    )
    .bind(worker)
    .execute(pool)
    .await?;
    Ok(given.rows_affected())
}

/// Keeps a payload that does not decode, with its bytes and the reason.
pub async fn quarantine_payload(
    pool: &PgPool,
    queue: &str,
    task_id: &str,
    bytes: &[u8],
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into quarantined_payloads (queue, task_id, bytes, reason)
         values ($1, $2, $3, $4)
         on conflict on constraint quarantined_payloads_once do nothing",
    )
    .bind(queue)
    .bind(task_id)
    .bind(bytes)
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(())
}
