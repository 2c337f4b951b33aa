//! The one way to change state: a transaction that carries what must happen after it.
//!
//! The rows of the jobs commit with the state that made them necessary; then, and only then, the
//! same process pushes their wake-up calls and tells waiting readers what changed. Both may be lost
//! with the process: the sweep finds the jobs, and readers look again by themselves.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::jobs::{self, Enqueued, NewJob};
use crate::queue::{Lane, Pusher, Queue, Wake};
use crate::telemetry::metrics;

/// Opens transactions.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    queue: Queue,
    pusher: Pusher,
}

impl Outbox {
    /// Writes to `pool`, pushes through `queue`.
    pub fn new(pool: PgPool, queue: Queue) -> Self {
        let pusher = Pusher::start(queue.clone());
        Self {
            pool,
            queue,
            pusher,
        }
    }

    /// For reads.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The queue behind it.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Tells whoever waits on this thing to look again, after a change that committed by itself.
    pub fn announce(&self, topic: &'static str, id: &str) {
        self.queue.publish(topic, id);
    }

    /// Pushes the wake-up call of a job that committed by itself.
    pub fn wake(&self, queue: &'static str, lane: Lane, wake: Wake) {
        self.pusher.wake(queue, lane, wake);
    }

    /// Opens a transaction, in a task of its own: a caller that is cancelled halfway must not leave
    /// one open in the pool (sqlx 0.9.0 would).
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        let pool = self.pool.clone();
        let inner = tokio::spawn(async move { pool.begin().await })
            .await
            .map_err(gone)??;
        Ok(Tx {
            inner,
            clock: Clock::start(),
            outbox: self.clone(),
            enqueued: Vec::new(),
            changed: Vec::new(),
        })
    }
}

/// A transaction; dropped without [`Tx::commit`] it never was.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    clock: Clock,
    outbox: Outbox,
    enqueued: Vec<Enqueued>,
    changed: Vec<(&'static str, String)>,
}

impl Tx {
    /// Writes a job; it is pushed after the commit.
    pub async fn enqueue(&mut self, job: &NewJob) -> Result<(), sqlx::Error> {
        let enqueued = jobs::enqueue_in_tx(&mut self.inner, job).await?;
        self.enqueued.push(enqueued);
        Ok(())
    }

    /// After the commit, tells whoever waits on this thing to look again.
    pub fn announce(&mut self, topic: &'static str, id: impl Into<String>) {
        self.changed.push((topic, id.into()));
    }

    /// Commits, then pushes and announces.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let Self {
            inner,
            mut clock,
            outbox,
            enqueued,
            changed,
        } = self;
        tokio::spawn(async move { inner.commit().await })
            .await
            .map_err(gone)??;
        clock.end = "committed";
        drop(clock);
        for Enqueued {
            queue, lane, wake, ..
        } in enqueued.into_iter().filter(|job| job.is_due)
        {
            outbox.pusher.wake(queue, lane, wake);
        }
        for (topic, id) in changed {
            outbox.queue.publish(topic, &id);
        }
        Ok(())
    }
}

/// Measures a transaction; one that is only dropped was rolled back.
#[derive(Debug)]
struct Clock {
    began: Instant,
    end: &'static str,
}

impl Clock {
    fn start() -> Self {
        Self {
            began: Instant::now(),
            end: "rolled_back",
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let seconds = self.began.elapsed().as_secs_f64();
        metrics()
            .db_transaction_seconds
            .with_label_values(&[self.end])
            .observe(seconds);
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

fn gone(error: tokio::task::JoinError) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other(error))
}
