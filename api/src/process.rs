//! An API process: start, serve, drain.

use std::net::SocketAddr;
use std::sync::Arc;

use common::accounts::{AccountError, GitHubError};
use common::canaries::{KeyError, check_keys};
use common::cards::BuildError;
use common::config::ApiConfig;
use common::http::Doorkeeper;
use common::hurried_redis::AddressError;
use common::identity::Sealer;
use common::limits::{DRAIN, REQUEST_COUNT_FLUSH};
use common::outbox::Outbox;
use common::queue::{Queue, QueueError};
use common::secrecy::ExposeSecret as _;
use common::signatures::Signer;
use common::{db, http};
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::middleware::Peer;
use crate::operations::ApiOperations;
use crate::router::router;
use crate::state::ApiState;

/// Why the API did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("PostgreSQL")]
    Database(#[from] db::Error),
    #[error("the keys of this process")]
    Keys(#[from] KeyError),
    #[error("Redis")]
    Queue(#[from] QueueError),
    #[error("the card provider's client")]
    Cards(#[from] BuildError),
    #[error("password hashing")]
    Passwords(#[from] AccountError),
    #[error("GitHub's client")]
    GitHub(#[from] GitHubError),
    #[error("rate limits")]
    Throttle(#[from] AddressError),
    #[error("a port")]
    Listen(#[from] std::io::Error),
}

/// An API that serves.
#[derive(Debug)]
pub struct Api {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    state: ApiState,
}

impl Api {
    /// Connects and begins to serve.
    pub async fn start(config: &ApiConfig) -> Result<Self, StartError> {
        let listener = TcpListener::bind(config.listen).await?;
        let ops = TcpListener::bind(config.ops_listen).await?;
        let pool = db::connect(&config.database).await?;
        let queue = Queue::connect(config.redis.url.expose_secret(), &config.redis.prefix).await?;
        let stop = CancellationToken::new();
        check_keys(
            &pool,
            &Sealer::new(&config.secrets),
            &Signer::new(&config.signing),
        )
        .await?;
        let state = ApiState::new(config, Outbox::new(pool, queue), stop.clone())?;
        let operations = ApiOperations {
            state: state.clone(),
        };
        tokio::spawn(http::serve_operations(
            ops,
            Arc::new(operations),
            stop.clone(),
        ));
        tokio::spawn(write_counts(state.clone()));
        let app = router(state.clone());
        let service = move |peer| {
            let app = app
                .clone()
                .map_request(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(Peer(peer));
                    request
                });
            TowerToHyperService::new(app)
        };
        let address = listener.local_addr()?;
        tracing::info!(http.listen = %address, "Serving");
        let doorkeeper = Doorkeeper::new(&config.rates);
        let serving = http::serve(listener, doorkeeper, service, stop.clone(), DRAIN);
        let serving = tokio::spawn(serving);
        Ok(Self {
            address,
            stop,
            serving,
            state,
        })
    }

    /// The address that is really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, lets open requests finish, and writes down what they counted.
    pub async fn drain(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "The accept loop ended badly");
        }
        if let Err(error) = self.state.counts.flush(self.state.pool()).await {
            tracing::warn!(%error, "The last counts of requests are lost");
        }
    }
}

/// Writes down what is counted of requests, until the process stops.
async fn write_counts(state: ApiState) {
    let writing = async {
        loop {
            tokio::time::sleep(REQUEST_COUNT_FLUSH).await;
            if let Err(error) = state.counts.flush(state.pool()).await {
                tracing::warn!(%error, "Could not write down what was counted of requests");
            }
        }
    };
    state.stopping.run_until_cancelled(writing).await;
}
