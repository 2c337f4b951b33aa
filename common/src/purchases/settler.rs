//! Settles purchases: whatever is due while a transaction runs shares the next one.
//!
//! One call of `settle_purchases` is one autocommitted round trip, so no transaction is ever left
//! open, whoever is cancelled. A batch that meets a conflict of locks, or holds one purchase that
//! cannot be settled, is settled one by one: a bad one fails alone.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

use super::CHANGED;
use crate::db;
use crate::events::APPENDED;
use crate::ids::{PurchaseId, WorkerId};
use crate::jobs::{JobName, Lease};
use crate::limits::{GRANT_SECONDS, SETTLE_BATCH_MAX, SETTLE_CONNECTIONS};
use crate::outbox::Outbox;
use crate::queue::{Lane, Wake};

/// What became of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// By this call.
    Now,
    /// It was not pending: settled before, or failed. The job is done.
    Before,
    /// Buyer or seller is blocked, or the package was taken down; nothing was written.
    Closed,
    /// Another worker has the job; nothing was written.
    Superseded,
}

type Request = (Lease, oneshot::Sender<Result<Settled, sqlx::Error>>);

/// Settles for one worker process.
#[derive(Debug, Clone)]
pub struct Settler {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    job_id: Uuid,
    purchase_id: PurchaseId,
    outcome: String,
    announcement_id: Option<Uuid>,
    announcement_trace: Option<String>,
}

impl Settler {
    /// Starts the batching task; it ends when the last clone is dropped. A `batch_max` of one settles
    /// each purchase in a transaction of its own.
    pub fn start(outbox: Outbox, worker: WorkerId, batch_max: usize) -> Self {
        let (requests, inbox) = mpsc::channel(4 * SETTLE_BATCH_MAX);
        tokio::spawn(settle_in_batches(outbox, worker, batch_max, inbox));
        Self { requests }
    }

    /// Settles the purchase of a leased job, and ends the job.
    pub async fn settle(&self, lease: &Lease) -> Result<Settled, sqlx::Error> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send((lease.clone(), answer)).await;
        sent.expect("the batching task lives as long as its handles");
        match answered.await.expect("a batch answers everybody") {
            Err(error) if is_closed(&error) => Ok(Settled::Closed),
            settled => settled,
        }
    }
}

async fn settle_in_batches(
    outbox: Outbox,
    worker: WorkerId,
    batch_max: usize,
    mut inbox: mpsc::Receiver<Request>,
) {
    let free = Arc::new(Semaphore::new(SETTLE_CONNECTIONS));
    loop {
        let permit = Arc::clone(&free)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let mut batch = Vec::with_capacity(batch_max);
        if inbox.recv_many(&mut batch, batch_max).await == 0 {
            return;
        }
        let outbox = outbox.clone();
        tokio::spawn(async move {
            settle_batch(&outbox, worker, batch).await;
            drop(permit);
        });
    }
}

async fn settle_batch(outbox: &Outbox, worker: WorkerId, batch: Vec<Request>) {
    let leases: Vec<&Lease> = batch.iter().map(|(lease, _)| lease).collect();
    match call(outbox.pool(), worker, &leases).await {
        Ok(rows) => {
            for (lease, answer) in batch {
                // The asker may have been cancelled; what is settled is settled.
                let _ = answer.send(Ok(outcome_of(outbox, &rows, &lease)));
            }
        }
        Err(error) if batch.len() > 1 && !is_away(&error) => {
            tracing::warn!(%error, purchases = batch.len(), "Settles a batch one by one");
            for (lease, answer) in batch {
                let result = call(outbox.pool(), worker, &[&lease]).await;
                let _ = answer.send(result.map(|rows| outcome_of(outbox, &rows, &lease)));
            }
        }
        Err(error) => {
            // The last one gets the error itself: one who asked alone reads the constraint from it.
            let mut answers: Vec<_> = batch.into_iter().map(|(_, answer)| answer).collect();
            let last = answers.pop();
            for answer in answers {
                let _ = answer.send(Err(db::copy_of(&error)));
            }
            if let Some(answer) = last {
                let _ = answer.send(Err(error));
            }
        }
    }
}

fn is_closed(error: &sqlx::Error) -> bool {
    let constraint = db::constraint_of(error);
    matches!(
        constraint,
        Some("parties_not_blocked" | "packages_not_taken_down")
    )
}

/// Whether the server is gone, rather than that it refuses.
fn is_away(error: &sqlx::Error) -> bool {
    error.as_database_error().is_none() && db::is_ours_to_fix(error)
}

async fn call(pool: &PgPool, worker: WorkerId, leases: &[&Lease]) -> Result<Vec<Row>, sqlx::Error> {
    let jobs: Vec<Uuid> = leases.iter().map(|lease| lease.job.0).collect();
    let fences: Vec<i32> = leases.iter().map(|lease| lease.fence).collect();
    sqlx::query_as(
        "select job_id, purchase_id, outcome, announcement_id, announcement_trace
         from settle_purchases($1, $2, $3, $4)",
    )
    .bind(jobs)
    .bind(fences)
    .bind(worker)
    .bind(GRANT_SECONDS as f64)
    .fetch_all(pool)
    .await
}

/// Reads the answer for one job; tells who waits, and wakes the job that announces the sale.
fn outcome_of(outbox: &Outbox, rows: &[Row], lease: &Lease) -> Settled {
    let Some(row) = rows.iter().find(|row| row.job_id == lease.job.0) else {
        return Settled::Superseded;
    };
    if row.outcome != "settled" {
        return Settled::Before;
    }
    outbox.announce(CHANGED, &row.purchase_id.to_string());
    outbox.announce(APPENDED, "");
    if let Some(job) = row.announcement_id {
        let wake = Wake {
            job,
            fence: 0,
            trace: row.announcement_trace.clone(),
        };
        let queue = JobName::AnnouncePurchase.spec().queue.name;
        outbox.wake(queue, Lane::Fast, wake);
    }
    Settled::Now
}
