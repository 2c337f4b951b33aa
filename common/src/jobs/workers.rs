//! Worker processes: one heartbeat a second keeps all leases of a process.

use sqlx::PgPool;

use crate::ids::{JobId, WorkerId};
use crate::limits::LEASE;

/// What a worker learns with its heartbeat.
#[derive(Debug, Clone, Default)]
pub struct Beat {
    /// Queues that an operator paused.
    pub paused: Vec<String>,
    /// Jobs of this worker that an operator wants stopped, and why.
    pub cancelled: Vec<(JobId, String)>,
    /// How many jobs were made ready that this worker held by the word of PostgreSQL and does not run.
    pub forgotten: i64,
}

#[derive(sqlx::FromRow)]
struct BeatRow {
    paused: Vec<String>,
    cancelled: Vec<JobId>,
    reasons: Vec<String>,
    forgotten: i64,
}

/// Renews the word that this worker lives, asks what operators want, and gives back what it has
/// forgotten: the answer to its lease was lost, or PostgreSQL was away for so long that the outcome
/// was dropped. A living worker keeps all its leases, so nobody else would take those. `running` is what
/// it does run; leases younger than [`LEASE`] may still be on their way.
pub async fn beat(
    pool: &PgPool,
    worker: WorkerId,
    name: &str,
    queues: &[String],
    running: &[JobId],
) -> Result<Beat, sqlx::Error> {
    let row: BeatRow = sqlx::query_as(
        "with alive as (
             insert into workers (id, name, queues, alive_until)
             values ($1, $2, $3, now() + make_interval(secs => $4))
             on conflict (id) do update
             set alive_until = excluded.alive_until
         ),
         forgotten as (
             update jobs
             set state = 'ready', worker = null, reason = 'its worker had forgotten it', run_at = now()
             where worker = $1
               and state = 'running'
               and id <> all($5)
               and started_at < now() - make_interval(secs => $4)
             returning id
         ),
         cancelled as (
             select id, coalesce(reason, 'cancelled by an operator') as reason
             from jobs
             where worker = $1
               and state = 'running'
               and cancel_requested
         )
         select array(select queue from queue_controls where paused) as paused,
                array(select id from cancelled order by id) as cancelled,
                array(select reason from cancelled order by id) as reasons,
                (select count(*) from forgotten) as forgotten",
    )
    .bind(worker)
    .bind(name)
    .bind(queues)
    .bind(LEASE.as_secs_f64())
    .bind(running)
    .fetch_one(pool)
    .await?;
    Ok(Beat {
        paused: row.paused,
        cancelled: row.cancelled.into_iter().zip(row.reasons).collect(),
        forgotten: row.forgotten,
    })
}

/// A worker says good-bye.
pub async fn retire(pool: &PgPool, worker: WorkerId) -> Result<(), sqlx::Error> {
    sqlx::query("delete from workers where id = $1")
        .bind(worker)
        .execute(pool)
        .await?;
    Ok(())
}
