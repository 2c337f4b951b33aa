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
}

/// Renews the word that this worker lives, and asks what operators want.
pub async fn beat(
    pool: &PgPool,
    worker: WorkerId,
    name: &str,
    queues: &[String],
) -> Result<Beat, sqlx::Error> {
    sqlx::query(
        "insert into workers (id, name, queues, alive_until)
         values ($1, $2, $3, now() + make_interval(secs => $4))
         on conflict (id) do update
         set alive_until = excluded.alive_until",
    )
    .bind(worker)
    .bind(name)
    .bind(queues)
    .bind(LEASE.as_secs_f64())
    .execute(pool)
    .await?;
    let paused = sqlx::query_scalar("select queue from queue_controls where paused")
        .fetch_all(pool)
        .await?;
    let cancelled = sqlx::query_as(
        "select id, coalesce(reason, 'cancelled by an operator')
         from jobs
         where worker = $1
           and state = 'running'
           and cancel_requested",
    )
    .bind(worker)
    .fetch_all(pool)
    .await?;
    Ok(Beat { paused, cancelled })
}

/// A worker says good-bye.
pub async fn retire(pool: &PgPool, worker: WorkerId) -> Result<(), sqlx::Error> {
    sqlx::query("delete from workers where id = $1")
        .bind(worker)
        .execute(pool)
        .await?;
    Ok(())
}
