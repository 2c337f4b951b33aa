//! A scheduler process: tasks that run while it leads.

use std::sync::Arc;
use std::time::Duration;

use common::agents::PresenceBoard;
use common::config::SchedulerConfig;
use common::hurried_redis::AddressError;
use common::limits::HEARTBEAT;
use common::outbox::Outbox;
use common::queue::{Queue, QueueError};
use common::secrecy::ExposeSecret as _;
use common::storage::Storage;
use common::telemetry::metrics;
use common::{db, http};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::leader::Leadership;
use crate::operations::SchedulerOperations;
use crate::tasks::{Context, TASKS};
use crate::term::Term;

/// Connections beside those of the tasks: the leader's lock, the journal, the event log, what the operations port asks.
const OTHER_CONNECTIONS: usize = 4;

/// Why a scheduler did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("PostgreSQL")]
    Database(#[from] db::Error),
    #[error("Redis")]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Redis(#[from] AddressError),
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
        if (config.database.pool_max as usize) < TASKS.len() + OTHER_CONNECTIONS {
            tracing::warn!("With so few connections to PostgreSQL tasks wait for each other");
        }
        let queue = Queue::connect(config.redis.url.expose_secret(), &config.redis.prefix).await?;
        let outbox = Outbox::new(pool.clone(), queue);
        let stop = CancellationToken::new();
        let storage = Storage::new(&config.storage);
        let context = Context::new(
            outbox.clone(),
            storage,
            PresenceBoard::new(&config.redis, &config.agents)?,
            config.staging_grace,
            config.retention,
        );
        let loops = vec![
            tokio::spawn(lead(Leadership::new(pool), Arc::new(context), stop.clone())),
            tokio::spawn(http::serve_operations(
                ops,
                Arc::new(SchedulerOperations { outbox }),
                stop.clone(),
            )),
        ];
        tracing::info!("Scheduling");
        Ok(Self { stop, loops })
    }

    /// Breaks off what runs; each task can be, anywhere.
    pub async fn stop(self) {
        self.stop.cancel();
        futures::future::join_all(self.loops).await;
    }
}

/// Keeps asking whether this process leads, and runs the tasks while it does.
async fn lead(mut leadership: Leadership, context: Arc<Context>, stop: CancellationToken) {
    let mut term: Option<Term> = None;
    while pause(&stop, HEARTBEAT).await {
        let leads = leadership.holds().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "Could not ask who leads");
            false
        });
        metrics().scheduler_leader.set(f64::from(u8::from(leads)));
        term = match (term, leads) {
            (None, true) => {
                tracing::info!("Leads from now on");
                Some(Term::begin(Arc::clone(&context), TASKS))
            }
            (Some(term), false) => {
                tracing::info!("Leads no more");
                term.end().await;
                None
            }
            (term, _) => term,
        };
    }
    if let Some(term) = term {
        term.end().await;
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
