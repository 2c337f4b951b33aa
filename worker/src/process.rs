//! A worker process: start, serve, drain.

use std::sync::Arc;

use common::canaries::{KeyError, check_keys};
use common::cards::{self, Cards};
use common::config::WorkerConfig;
use common::identity::Sealer;
use common::jobs::{self, QueueSpec};
use common::limits::{DRAIN, HEARTBEAT};
use common::outbox::Outbox;
use common::queue::{Lane, Queue, QueueError, ServeOptions};
use common::secrecy::ExposeSecret as _;
use common::signatures::Signer;
use common::{db, http, webhooks};
use futures::FutureExt as _;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::consumers;
use crate::heartbeat::{self, Served};
use crate::operations::WorkerOperations;
use crate::{Context, runner};

/// Why a worker did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("PostgreSQL")]
    Database(#[from] db::Error),
    #[error("the keys of this process")]
    Keys(#[from] KeyError),
    #[error("Redis")]
    Queue(#[from] QueueError),
    #[error("the operations port")]
    Listen(#[from] std::io::Error),
    #[error("the webhook client")]
    Webhooks(#[from] webhooks::BuildError),
    #[error("the card provider's client")]
    Cards(#[from] cards::BuildError),
}

/// A worker that serves.
#[derive(Debug)]
pub struct Worker {
    context: Arc<Context>,
    served: Arc<Vec<Served>>,
    beating: JoinHandle<()>,
    stop: CancellationToken,
}

impl Worker {
    /// Connects and begins to serve the queues.
    pub async fn start(
        config: &WorkerConfig,
        queues: &[&'static QueueSpec],
    ) -> Result<Self, StartError> {
        let ops = TcpListener::bind(config.ops_listen).await?;
        let pool = db::connect(&config.database).await?;
        check_keys(
            &pool,
            &Sealer::new(&config.secrets),
            &Signer::new(&config.signing),
        )
        .await?;
        let relaxed_pool = db::connect_relaxed(&config.database).await?;
        let queue = Queue::connect(config.redis.url.expose_secret(), &config.redis.prefix).await?;
        let client = webhooks::Client::new(webhooks::Settings::new(webhooks::Policy::from(
            &config.webhooks,
        )))?;
        let context = Arc::new(Context::new(
            config,
            Outbox::new(pool, queue.clone()),
            relaxed_pool,
            client,
            Cards::new(&config.cards)?,
        ));
        let name = format!("{}-{}", host_name(), std::process::id());
        // The first beat comes before the first lease: a lease without a living worker would be taken back.
        let names: Vec<String> = queues.iter().map(|queue| queue.name.to_owned()).collect();
        jobs::beat(&context.relaxed_pool, context.worker, &name, &names, &[]).await?;
        let served = Arc::new(serve(&context, &queue, queues, &name).await);
        let stop = CancellationToken::new();
        let beating = tokio::spawn(heartbeat::run(
            Arc::clone(&context),
            name,
            Arc::clone(&served),
            stop.clone(),
        ));
        consumers::start(&context.outbox, &stop);
        let operations = WorkerOperations {
            context: Arc::clone(&context),
            served: Arc::clone(&served),
        };
        tokio::spawn(http::serve_operations(
            ops,
            Arc::new(operations),
            stop.clone(),
        ));
        tracing::info!(worker.id = %context.worker, worker.queues = ?names, "Serving");
        Ok(Self {
            context,
            served,
            beating,
            stop,
        })
    }

    /// Fetches no more, lets running handlers finish, gives the rest back.
    pub async fn drain(self) {
        self.context.deliverer.stop();
        let stopping = self.served.iter().map(|lane| lane.serving.stop(DRAIN));
        futures::future::join_all(stopping).await;
        self.stop.cancel();
        // A beat under way would sign this worker on again after it has signed off.
        if tokio::time::timeout(HEARTBEAT, self.beating).await.is_err() {
            tracing::warn!("The last heartbeat did not end in time");
        }
        let pool = &self.context.relaxed_pool;
        match jobs::give_back(pool, self.context.worker).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(jobs.count = count, "Gave unfinished jobs back"),
            Err(error) => {
                tracing::warn!(%error, "Could not give jobs back; their leases will run out")
            }
        }
        if let Err(error) = jobs::retire(pool, self.context.worker).await {
            tracing::warn!(%error, "Could not sign off");
        }
    }
}

async fn serve(
    context: &Arc<Context>,
    queue: &Queue,
    specs: &[&'static QueueSpec],
    name: &str,
) -> Vec<Served> {
    let mut served = Vec::new();
    for spec in specs.iter().copied() {
        for lane in Lane::ALL {
            let options = ServeOptions {
                concurrency: spec.concurrency,
                batch: spec.batch,
                ..ServeOptions::new(spec.name, lane, name)
            };
            let context = Arc::clone(context);
            let handler =
                move |delivery| runner::run(Arc::clone(&context), spec, lane, delivery).boxed();
            served.push(Served {
                queue: spec.name,
                serving: queue.serve(options, handler).await,
            });
        }
    }
    served
}

fn host_name() -> String {
    std::fs::read_to_string("/etc/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "worker".to_owned())
}
