//! Finishing: attempts are recorded and their deliveries move on, many in one statement.
//!
//! A row takes effect if nobody has leased its endpoint's alarm since, so what two senders did never
//! mixes. While PostgreSQL is away rows wait here, independent of the drain that made them: an outage
//! forgets no answer of a receiver. A batch that PostgreSQL refuses is written row by row, so that a
//! bad one fails alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::record::record_in_tx;
use crate::db;
use crate::ids::{DeliveryId, EndpointId, JobId, WorkerId};
use crate::limits::{FINISH_BATCH_MAX, FINISH_PACE, SENDS_MAX};
use crate::outbox::Outbox;
use crate::telemetry::metrics;
use crate::webhooks::announce::{NewEvent, announce_in_tx};
use crate::webhooks::deliveries;
use crate::webhooks::state::{DeliveryState, Trigger};

/// Pauses between tries to reach PostgreSQL.
const PATIENCE_MIN: Duration = Duration::from_millis(50);
const PATIENCE_MAX: Duration = Duration::from_secs(5);

/// One attempt, and what becomes of its delivery.
#[derive(Debug, Clone)]
pub(super) struct Finish {
    pub delivery: DeliveryId,
    pub endpoint: EndpointId,
    pub job: JobId,
    pub fence: i32,
    pub worker: WorkerId,
    /// The attempts before this one.
    pub attempts: i32,
    pub trigger: Trigger,
    /// What causes the next one, and what the delivery goes back to if that fails.
    pub next_trigger: Trigger,
    pub ended_as: Option<DeliveryState>,
    pub state: DeliveryState,
    pub tries: i32,
    pub holds: i32,
    pub next_in: Duration,
    pub outcome: &'static str,
    pub status_code: Option<i16>,
    pub detail: String,
    pub timings_ms: [Option<f32>; 4],
    pub duration_ms: f32,
    pub response: String,
    /// What its owner hears of it.
    pub news: Option<NewEvent<'static>>,
}

/// What became of it.
pub(super) type Finished = Result<(), FinishError>;

/// Why an attempt was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FinishError {
    /// Somebody else sends to this endpoint now, or the delivery has ended.
    #[error("the delivery moved on without this attempt")]
    Superseded,
    /// PostgreSQL refuses the row.
    #[error("the attempt could not be recorded")]
    Refused,
}

type Request = (Finish, oneshot::Sender<Finished>);

/// Records for all drains of one process.
#[derive(Debug, Clone)]
pub(super) struct Finishes {
    requests: mpsc::Sender<Request>,
    open: Arc<Open>,
}

/// How many rows of each endpoint are not written yet.
#[derive(Debug, Default)]
struct Open {
    counts: Mutex<HashMap<EndpointId, usize>>,
    changed: Notify,
}

impl Open {
    fn add(&self, endpoint: EndpointId) {
        *self.lock().entry(endpoint).or_default() += 1;
    }

    fn remove(&self, endpoint: EndpointId) {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(&endpoint) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&endpoint);
                self.changed.notify_waiters();
            }
        }
    }

    fn has(&self, endpoint: EndpointId) -> bool {
        self.lock().contains_key(&endpoint)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<EndpointId, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Finishes {
    /// Starts the writing task; it ends when the last clone is dropped and all is written.
    pub fn start(outbox: Outbox) -> Self {
        let (requests, inbox) = mpsc::channel(SENDS_MAX);
        let open = Arc::new(Open::default());
        tokio::spawn(finish_in_batches(outbox, inbox, Arc::clone(&open)));
        Self { requests, open }
    }

    /// Records an attempt; comes back once it is durable.
    pub async fn finish(&self, finish: Finish) -> Finished {
        let (answer, answered) = oneshot::channel();
        self.open.add(finish.endpoint);
        let endpoint = finish.endpoint;
        if self.requests.send((finish, answer)).await.is_err() {
            self.open.remove(endpoint);
            return Err(FinishError::Refused);
        }
        answered.await.unwrap_or(Err(FinishError::Refused))
    }

    /// Waits until what an earlier drain of this process did for the endpoint is written.
    pub async fn settled(&self, endpoint: EndpointId) {
        loop {
            let changed = self.open.changed.notified();
            if !self.open.has(endpoint) {
                return;
            }
            changed.await;
        }
    }
}

async fn finish_in_batches(outbox: Outbox, mut inbox: mpsc::Receiver<Request>, open: Arc<Open>) {
    let mut next_round = Instant::now();
    let mut batch: Vec<Request> = Vec::with_capacity(FINISH_BATCH_MAX);
    loop {
        if inbox.recv_many(&mut batch, FINISH_BATCH_MAX).await == 0 {
            return;
        }
        while batch.len() < FINISH_BATCH_MAX && Instant::now() < next_round {
            let room = FINISH_BATCH_MAX - batch.len();
            tokio::select! {
                () = sleep_until(next_round) => {}
                _ = inbox.recv_many(&mut batch, room) => {}
            }
        }
        next_round = Instant::now() + FINISH_PACE;
        let rows: Vec<&Finish> = batch.iter().map(|(row, _)| row).collect();
        let began = Instant::now();
        let results = write(&outbox, &rows).await;
        metrics()
            .webhook_record_seconds
            .observe(began.elapsed().as_secs_f64());
        for ((row, answer), result) in batch.drain(..).zip(results) {
            open.remove(row.endpoint);
            // A drain that is gone needs no answer; the row is written.
            if result == Ok(()) && matches!(row.trigger, Trigger::Manual | Trigger::Test) {
                outbox.announce(deliveries::CHANGED, &row.delivery.to_string());
            }
            let _ = answer.send(result);
        }
    }
}

/// Writes until PostgreSQL has taken or refused each row.
async fn write(outbox: &Outbox, rows: &[&Finish]) -> Vec<Finished> {
    match write_patiently(outbox, rows).await {
        Ok(results) => results,
        Err(error) => {
            tracing::warn!(%error, webhook.attempts = rows.len(), "Records a batch of attempts one by one");
            let mut results = Vec::with_capacity(rows.len());
            for row in rows {
                let result = write_patiently(outbox, &[row]).await;
                results.push(result.map_or_else(
                    |error| {
                        tracing::error!(%error, webhook.delivery = %row.delivery, "Could not record an attempt");
                        Err(FinishError::Refused)
                    },
                    |mut written| written.remove(0),
                ));
            }
            results
        }
    }
}

async fn write_patiently(outbox: &Outbox, rows: &[&Finish]) -> Result<Vec<Finished>, sqlx::Error> {
    let mut pause = PATIENCE_MIN;
    loop {
        match write_once(outbox, rows).await {
            Err(error) if db::is_ours_to_fix(&error) => {
                tracing::warn!(%error, webhook.attempts = rows.len(), "Keeps attempts until PostgreSQL is back");
                sleep(pause).await;
                pause = (pause * 2).min(PATIENCE_MAX);
            }
            Err(error) => return Err(error),
            Ok(written) => {
                let result = |row: &&Finish| match written.contains(&row.delivery) {
                    true => Ok(()),
                    false => Err(FinishError::Superseded),
                };
                return Ok(rows.iter().map(result).collect());
            }
        }
    }
}

/// One statement, or one transaction if owners must hear of something.
async fn write_once(outbox: &Outbox, rows: &[&Finish]) -> Result<Vec<DeliveryId>, sqlx::Error> {
    if rows.iter().all(|row| row.news.is_none()) {
        return record(outbox.pool(), rows).await;
    }
    let mut tx = outbox.begin().await?;
    let written = record_in_tx(&mut tx, rows).await?;
    for row in rows.iter().filter(|row| written.contains(&row.delivery)) {
        if let Some(news) = &row.news {
            announce_in_tx(&mut tx, news).await?;
        }
    }
    tx.commit().await?;
    Ok(written)
}

async fn record(pool: &PgPool, rows: &[&Finish]) -> Result<Vec<DeliveryId>, sqlx::Error> {
    let mut conn = pool.acquire().await?;
    record_in_tx(&mut conn, rows).await
}
