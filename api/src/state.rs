//! What every handler has at hand.

use std::sync::Arc;

use common::config::ApiConfig;
use common::db::PgPool;
use common::identity::Sealer;
use common::limits::UPLOADS_IN_FLIGHT_MAX;
use common::outbox::Outbox;
use common::secrecy::SecretString;
use common::signatures::Signer;
use common::storage::Storage;
use common::webhooks::Policy;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The world of a handler; cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiState {
    pub outbox: Outbox,
    pub storage: Storage,
    pub sealer: Sealer,
    /// Signs receipts and quotes.
    pub signer: Signer,
    /// Which webhook addresses are taken.
    pub webhook_policy: Arc<Policy>,
    pub admin_token: SecretString,
    pub public_base_url: Arc<str>,
    pub fee_basis_points: u16,
    /// Bounds the memory that uploads take together.
    pub uploads_in_flight: Arc<Semaphore>,
    /// Cancelled when the process stops: long waits end early.
    pub stopping: CancellationToken,
}

impl ApiState {
    /// Puts the parts together.
    pub fn new(config: &ApiConfig, outbox: Outbox, stopping: CancellationToken) -> Self {
        Self {
            outbox,
            storage: Storage::new(&config.storage),
            sealer: Sealer::new(&config.secrets),
            signer: Signer::new(&config.signing),
            webhook_policy: Arc::new(Policy::from(&config.webhooks)),
            admin_token: config.admin_token.clone(),
            public_base_url: config.public_base_url.as_str().into(),
            fee_basis_points: config.fee_basis_points,
            uploads_in_flight: Arc::new(Semaphore::new(UPLOADS_IN_FLIGHT_MAX)),
            stopping,
        }
    }

    /// For reads and single statements.
    pub fn pool(&self) -> &PgPool {
        self.outbox.pool()
    }
}
