//! A scheduler process: loops that work while it leads.

use std::sync::Arc;
use std::time::Duration;

use common::config::SchedulerConfig;
use common::limits::{HEARTBEAT, SWEEP};
use common::outbox::Outbox;
use common::queue::{Queue, QueueError};
use common::secrecy::ExposeSecret as _;
use common::storage::Storage;
use common::telemetry::metrics;
use common::{db, http};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::leader::Leadership;
use crate::operations::SchedulerOperations;
use crate::sweeps::{self, DueSweep, OrphanSweep, WebhookSweep};

/// Every so many rounds of the fast loop (each 250 ms) payments and reserved supply are looked at.
const PAYMENT_ROUNDS: u64 = 20;
/// Every so many rounds of the fast loop endpoints are looked at.
const WEBHOOK_ROUNDS: u64 = 8;
/// Every so many rounds of the slow loop the words of the market are swept: all of them are read.
const WORD_ROUNDS: u64 = 60;
/// Between two rounds of the slow loop.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Why a scheduler did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("PostgreSQL")]
    Database(#[from] db::Error),
    #[error("Redis")]
    Queue(#[from] QueueError),
    #[error("the operations port")]
    Listen(#[from] std::io::Error),
}

/// A scheduler that runs.
#[derive(Debug)]
pub struct Scheduler {
    stop: CancellationToken,
    loops: Vec<JoinHandle<()>>,
}

impl Scheduler {
    /// Connects and begins.
    pub async fn start(config: &SchedulerConfig) -> Result<Self, StartError> {
        let ops = TcpListener::bind(config.ops_listen).await?;
        let pool = db::connect(&config.database).await?;
        let queue = Queue::connect(config.redis.url.expose_secret(), &config.redis.prefix).await?;
        let outbox = Outbox::new(pool.clone(), queue);
        let stop = CancellationToken::new();
        let (leads, led) = watch::channel(false);
        let storage = Storage::new(&config.storage);
        let grace = config.staging_grace;
        let webhooks = WebhookSweep::new(config.retention);
        let loops = vec![
            tokio::spawn(lead(Leadership::new(pool.clone()), leads, stop.clone())),
            tokio::spawn(sweeps::keep_folding(
                pool.clone(),
                led.clone(),
                stop.clone(),
            )),
            tokio::spawn(sweeps::keep_auditing(pool, led.clone(), stop.clone())),
            tokio::spawn(sweep_fast(outbox.clone(), led.clone(), stop.clone())),
            tokio::spawn(sweep_slowly(
                outbox.clone(),
                storage,
                grace,
                webhooks,
                led,
                stop.clone(),
            )),
            tokio::spawn(http::serve_operations(
                ops,
                Arc::new(SchedulerOperations { outbox }),
                stop.clone(),
            )),
        ];
        tracing::info!("Scheduling");
        Ok(Self { stop, loops })
    }

    /// Ends the loops at their next pause.
    pub async fn stop(self) {
        self.stop.cancel();
        futures::future::join_all(self.loops).await;
    }
}

/// Keeps asking whether this process leads.
async fn lead(mut leadership: Leadership, leads: watch::Sender<bool>, stop: CancellationToken) {
    while pause(&stop, HEARTBEAT).await {
        let holds = leadership.holds().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "Could not ask who leads");
            false
        });
        metrics().scheduler_leader.set(f64::from(u8::from(holds)));
        if leads.send_replace(holds) != holds {
            tracing::info!(scheduler.leads = holds, "Leadership changed");
        }
    }
}

/// Wakes what is due, takes back what dead workers held.
async fn sweep_fast(outbox: Outbox, led: watch::Receiver<bool>, stop: CancellationToken) {
    let mut due = DueSweep::default();
    let mut orphans = OrphanSweep::default();
    let mut is_behind = false;
    let mut round = 0_u64;
    while pause(&stop, if is_behind { Duration::ZERO } else { SWEEP }).await {
        if !*led.borrow() {
            continue;
        }
        is_behind = due.step(&outbox).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "The sweep broke off"
            );
            false
        });
        round += 1;
        if round.is_multiple_of(PAYMENT_ROUNDS)
            && let Err(error) = sweeps::sweep_payments(&outbox).await
        {
            tracing::warn!(%error, "Could not look at payments");
        }
        if round.is_multiple_of(PAYMENT_ROUNDS)
            && let Err(error) = sweeps::sweep_supply(&outbox).await
        {
            tracing::warn!(%error, "Could not release reserved supply");
        }
        if round.is_multiple_of(WEBHOOK_ROUNDS)
            && let Err(error) = common::webhooks::reconcile(&outbox).await
        {
            tracing::warn!(%error, "Could not look for forgotten webhooks");
        }
        if !round.is_multiple_of(2) {
            continue;
        }
        if let Err(error) = orphans.reclaim(&outbox).await {
            tracing::warn!(%error, "Could not look for dead workers");
        }
        if let Err(error) = sweeps::sweep_counters(outbox.pool()).await {
            tracing::warn!(%error, "Could not fold the packages' counters");
        }
        if let Err(error) = orphans.tidy_queues(&outbox).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Could not tidy the queues"
            );
        }
    }
}

/// Takes away what nobody needs.
async fn sweep_slowly(
    outbox: Outbox,
    storage: Storage,
    grace: Duration,
    mut webhooks: WebhookSweep,
    led: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let mut round = 0_u64;
    while pause(&stop, HOUSEKEEPING).await {
        if !*led.borrow() {
            continue;
        }
        let pool = outbox.pool();
        round += 1;
        if round.is_multiple_of(WORD_ROUNDS)
            && let Err(error) = common::catalog::sweep_words(pool).await
        {
            tracing::warn!(%error, "Could not sweep the words of the market");
        }
        if let Err(error) = sweeps::sweep_history(pool).await {
            tracing::warn!(%error, "Could not sweep history");
        }
        if let Err(error) = webhooks.round(&outbox).await {
            tracing::warn!(%error, "Could not look after webhooks");
        }
        if let Err(error) = sweeps::sweep_purchases(&outbox).await {
            tracing::warn!(%error, "Could not sweep purchases");
        }
        let objects = async {
            sweeps::sweep_staging(pool, &storage, grace).await?;
            sweeps::sweep_objects(pool, &storage, grace).await
        };
        if let Err(error) = objects.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Could not sweep the store"
            );
        }
    }
}

/// Waits; false when it is time to stop.
pub(crate) async fn pause(stop: &CancellationToken, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}
