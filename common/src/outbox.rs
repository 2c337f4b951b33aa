//! The one way to change state: a transaction that carries what must happen after it.
//!
//! The rows of the jobs commit with the state that made them necessary; then, and only then, the
//! same process pushes their wake-up calls and tells waiting readers what changed. Both may be lost
//! with the process: the sweep finds the jobs, and readers look again by themselves.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::mpsc;

use crate::db;
use crate::ids::JobId;
use crate::jobs::{self, Enqueued, NewJob, RungAlarm};
use crate::limits::{RING_BACKLOG_MAX, RING_BATCH_MAX};
use crate::queue::{Lane, Pusher, Queue, Wake};
use crate::telemetry::metrics;

/// Opens transactions.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    queue: Queue,
    pusher: Pusher,
    bell: mpsc::Sender<JobId>,
    is_dry_run: bool,
}

impl Outbox {
    /// Writes to `pool`, pushes through `queue`.
    pub fn new(pool: PgPool, queue: Queue) -> Self {
        let pusher = Pusher::start(queue.clone());
        let (bell, rings) = mpsc::channel(RING_BACKLOG_MAX);
        tokio::spawn(ring_all(pool.clone(), pusher.clone(), rings));
        Self {
            pool,
            queue,
            pusher,
            bell,
            is_dry_run: false,
        }
    }

    /// The same, whose transactions are rolled back where they would be committed: everything is checked
    /// by the database as it would be, and nothing happens.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self {
            is_dry_run: true,
            ..self.clone()
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

    /// Rings an alarm whose new work committed by itself. Never waits; what is too much is left to
    /// the sweep.
    pub fn ring(&self, alarm: JobId) {
        let _left_to_the_sweep = self.bell.try_send(alarm);
    }

    /// Pushes the wake-up call of an alarm that is due.
    pub fn wake_alarm(&self, alarm: RungAlarm) {
        self.pusher.wake(&alarm.queue, alarm.lane, alarm.wake);
    }

    /// Opens a transaction; see [`db::begin`].
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        Ok(Tx {
            inner: db::begin(&self.pool).await?,
            clock: Clock::start(),
            outbox: self.clone(),
            enqueued: Vec::new(),
            rung: Vec::new(),
            changed: Vec::new(),
            outdated: Vec::new(),
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
    rung: Vec<JobId>,
    changed: Vec<(&'static str, String)>,
    outdated: Vec<&'static str>,
}

impl Tx {
    /// Writes a job; it is pushed after the commit.
    pub async fn enqueue(&mut self, job: &NewJob) -> Result<(), sqlx::Error> {
        let enqueued = jobs::enqueue_in_tx(&mut self.inner, job).await?;
        self.enqueued.push(enqueued);
        Ok(())
    }

    /// After the commit, rings alarms: there is new work for what they stand for.
    pub fn ring(&mut self, alarms: impl IntoIterator<Item = JobId>) {
        self.rung.extend(alarms);
    }

    /// After the commit, tells whoever waits on this thing to look again.
    pub fn announce(&mut self, topic: &'static str, id: impl Into<String>) {
        self.changed.push((topic, id.into()));
    }

    /// After the commit, announces a topic that has no ids: once, however often this is called.
    pub fn announce_once(&mut self, topic: &'static str) {
        if !self.changed.iter().any(|(changed, _)| *changed == topic) {
            self.announce(topic, "");
        }
    }

    /// After the commit, says that what was made from this topic is old; the commit waits for it, so
    /// that who made the change sees it in the next answer.
    pub fn outdate(&mut self, topic: &'static str) {
        self.outdated.push(topic);
    }

    /// Commits, then pushes and announces.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let Self {
            inner,
            mut clock,
            outbox,
            enqueued,
            rung,
            changed,
            outdated,
        } = self;
        if outbox.is_dry_run {
            return db::to_its_end(tokio::spawn(async move { inner.rollback().await })).await;
        }
        db::commit(inner).await?;
        clock.end = "committed";
        drop(clock);
        for Enqueued {
            queue, lane, wake, ..
        } in enqueued.into_iter().filter(|job| job.is_due)
        {
            outbox.pusher.wake(queue, lane, wake);
        }
        for alarm in rung {
            outbox.ring(alarm);
        }
        for (topic, id) in changed {
            outbox.queue.publish(topic, &id);
        }
        for topic in outdated {
            outbox.queue.outdate(topic).await;
        }
        Ok(())
    }
}

/// Rings what was asked for while the last statement ran in one statement, and wakes what it made due.
async fn ring_all(pool: PgPool, pusher: Pusher, mut rings: mpsc::Receiver<JobId>) {
    let mut alarms = Vec::with_capacity(RING_BATCH_MAX);
    while rings.recv_many(&mut alarms, RING_BATCH_MAX).await > 0 {
        alarms.sort_unstable();
        alarms.dedup();
        match jobs::ring(&pool, &alarms).await {
            Ok(rung) => {
                for alarm in rung {
                    pusher.wake(&alarm.queue, alarm.lane, alarm.wake);
                }
            }
            Err(error) => {
                tracing::warn!(%error, alarms = alarms.len(), "Rings are left to the sweep")
            }
        }
        alarms.clear();
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
