//! Leases: the right to work on a job, and to finish it.
//!
//! Leases are taken in batches by one task per process: whatever wake-up calls arrive while one
//! statement runs share the next one. They are written without waiting for the disk: a lease that a
//! crash of PostgreSQL forgets leaves the job ready, and the (fence, worker) pair of the forgotten
//! lease no longer finishes anything once another worker has it.
//!
//! A call of the fast lane names the job that it leases. A call of the bulk lane says that a slot is free
//! and work is there: it leases the job whose turn it is, so that tenants take turns by cost however their
//! calls are ordered in Redis. Each call leases one job at most, so there are as many calls as jobs.

use std::collections::HashMap;

use sqlx::postgres::PgQueryResult;
use sqlx::{PgConnection, PgPool};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::db;
use crate::ids::{JobId, UserId, WorkerId};
use crate::limits::LEASE_BATCH_MAX;
use crate::queue::Wake;

/// A job in the hands of this worker.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Lease {
    #[sqlx(rename = "id")]
    pub job: JobId,
    pub name: String,
    pub subject: Uuid,
    pub tenant: Option<UserId>,
    pub trace: String,
    pub fence: i32,
    pub worker: WorkerId,
    /// Failed attempts before this run.
    pub attempts: i32,
    pub snoozes: i32,
    /// From the moment the job was due to this lease.
    pub waited_seconds: f64,
}

/// The lease was lost: another worker has the job, or it ended. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the lease was lost")]
pub struct LeaseLost;

type Answer = oneshot::Sender<Result<Option<Lease>, sqlx::Error>>;

/// What is asked for.
#[derive(Debug)]
enum Request {
    /// This job.
    Named(Wake, Answer),
    /// Whichever job of the queue's bulk lane is next.
    Next(&'static str, Answer),
}

/// Takes leases for one worker process.
#[derive(Debug, Clone)]
pub struct Leaser {
    requests: mpsc::Sender<Request>,
}

impl Leaser {
    /// Starts the batching task; it ends when the last clone is dropped.
    pub fn start(pool: PgPool, worker: WorkerId) -> Self {
        let (requests, inbox) = mpsc::channel(4 * LEASE_BATCH_MAX);
        tokio::spawn(lease_in_batches(pool, worker, inbox));
        Self { requests }
    }

    /// The lease, or none if the call is stale: the job ended, runs elsewhere, is not due, or its
    /// queue is paused.
    pub async fn lease(&self, wake: Wake) -> Result<Option<Lease>, sqlx::Error> {
        self.ask(|answer| Request::Named(wake, answer)).await
    }

    /// The lease of the job whose turn it is in the queue's bulk lane, or none if nothing is due there or
    /// the queue is paused.
    pub async fn lease_next(&self, queue: &'static str) -> Result<Option<Lease>, sqlx::Error> {
        self.ask(|answer| Request::Next(queue, answer)).await
    }

    async fn ask(
        &self,
        request: impl FnOnce(Answer) -> Request,
    ) -> Result<Option<Lease>, sqlx::Error> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(request(answer)).await;
        sent.expect("the batching task lives as long as its handles");
        answered.await.expect("the batching task answers everybody")
    }
}

async fn lease_in_batches(pool: PgPool, worker: WorkerId, mut inbox: mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(LEASE_BATCH_MAX);
    while inbox.recv_many(&mut batch, LEASE_BATCH_MAX).await > 0 {
        let (mut wakes, mut askers) = (Vec::new(), Vec::new());
        let mut queues: HashMap<&'static str, Vec<Answer>> = HashMap::new();
        for request in batch.drain(..) {
            match request {
                Request::Named(wake, answer) => {
                    wakes.push(wake);
                    askers.push(answer);
                }
                Request::Next(queue, answer) => queues.entry(queue).or_default().push(answer),
            }
        }
        if !wakes.is_empty() {
            let leased = lease_batch(&pool, worker, &wakes).await;
            let take = |leases: &mut Vec<Lease>, index: usize| {
                let wake: &Wake = &wakes[index];
                let found = leases.iter().position(|lease| lease.job.0 == wake.job);
                found.map(|index| leases.swap_remove(index))
            };
            answer_all(leased, askers, take);
        }
        for (queue, askers) in queues {
            let leased = lease_next_batch(&pool, worker, queue, askers.len()).await;
            answer_all(leased, askers, |leases, _| leases.pop());
        }
    }
}

/// Gives each asker what `take` finds for it among the leases.
fn answer_all(
    leased: Result<Vec<Lease>, sqlx::Error>,
    askers: Vec<Answer>,
    take: impl Fn(&mut Vec<Lease>, usize) -> Option<Lease>,
) {
    match leased {
        Ok(mut leases) => {
            for (index, answer) in askers.into_iter().enumerate() {
                // The asker may have been cancelled; its lease then ends with its worker.
                let _ = answer.send(Ok(take(&mut leases, index)));
            }
        }
        Err(error) => {
            for answer in askers {
                let _ = answer.send(Err(db::copy_of(&error)));
            }
        }
    }
}

async fn lease_batch(
    pool: &PgPool,
    worker: WorkerId,
    wakes: &[Wake],
) -> Result<Vec<Lease>, sqlx::Error> {
    let ids: Vec<Uuid> = wakes.iter().map(|wake| wake.job).collect();
    let fences: Vec<i32> = wakes.iter().map(|wake| wake.fence).collect();
    sqlx::query_as(
        "with due as (
             select jobs.id
             from jobs
             join unnest($1::uuid[], $2::integer[]) as wake (id, fence)
               on wake.id = jobs.id and wake.fence = jobs.fence
             where jobs.state = 'ready'
               and jobs.run_at <= now()
               and not exists (
                   select 1
                   from queue_controls
                   where queue_controls.queue = jobs.queue
                     and paused
               )
             order by jobs.id
             for update of jobs skip locked
         )
         update jobs
         set state = 'running',
             fence = fence + 1,
             worker = $3,
             rung = false,
             started_at = now()
         from due
         where jobs.id = due.id
         returning jobs.id, name, subject, tenant, trace, fence, worker, attempts, snoozes,
                   extract(epoch from clock_timestamp() - run_at)::float8 as waited_seconds",
    )
    .bind(ids)
    .bind(fences)
    .bind(worker)
    .fetch_all(pool)
    .await
}

async fn lease_next_batch(
    pool: &PgPool,
    worker: WorkerId,
    queue: &str,
    count: usize,
) -> Result<Vec<Lease>, sqlx::Error> {
    sqlx::query_as(
        "with next as (
             select id
             from jobs
             where queue = $1
               and lane = 'bulk'
               and state = 'ready'
               and run_at <= now()
               and not exists (
                   select 1
                   from queue_controls
                   where queue = $1
                     and paused
               )
             order by turn, id
             limit $3
             for update skip locked
         )
         update jobs
         set state = 'running',
             fence = fence + 1,
             worker = $2,
             rung = false,
             started_at = now()
         from next
         where jobs.id = next.id
         returning jobs.id, name, subject, tenant, trace, fence, worker, attempts, snoozes,
                   extract(epoch from clock_timestamp() - run_at)::float8 as waited_seconds",
    )
    .bind(queue)
    .bind(worker)
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
}

/// Ends the job as done. Call it first in the handler's last transaction: it locks the row, and if
/// the lease was lost the transaction must not commit.
pub async fn finish_in_tx(
    conn: &mut PgConnection,
    lease: &Lease,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let done = sqlx::query(
        "update jobs
         set state = 'done', worker = null, finished_at = now()
         where id = $1
           and fence = $2
           and worker = $3
           and state = 'running'",
    )
    .bind(lease.job)
    .bind(lease.fence)
    .bind(lease.worker)
    .execute(conn)
    .await?;
    Ok(held(&done))
}

/// Whether a write that asked for the lease found it held.
pub(super) fn held(written: &PgQueryResult) -> Result<(), LeaseLost> {
    if written.rows_affected() == 1 {
        Ok(())
    } else {
        Err(LeaseLost)
    }
}
