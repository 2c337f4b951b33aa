//! What every handler has at hand.

use std::sync::Arc;

use common::cards::Cards;
use common::config::WorkerConfig;
use common::db::PgPool;
use common::identity::Sealer;
use common::ids::WorkerId;
use common::jobs::Leaser;
use common::limits::{LIGHT_PACKAGE_BYTES_MAX, PACKAGE_BYTES_MAX, SETTLE_BATCH_MAX};
use common::outbox::Outbox;
use common::purchases::Settler;
use common::signatures::Signer;
use common::storage::Storage;
use common::webhooks;
use tokio::sync::Semaphore;

use crate::runs::Runs;

/// Raw bytes of packages that one process holds at once, in KiB: two of the largest.
const VERIFY_KIB_MAX: usize = 2 * (PACKAGE_BYTES_MAX as usize / 1024 + 1);
/// And of light ones beside them, so that these never wait for the large: one for each slot.
const VERIFY_LIGHT_KIB_MAX: usize = 4 * (LIGHT_PACKAGE_BYTES_MAX as usize / 1024 + 1);

/// The world of a handler.
#[derive(Debug)]
pub struct Context {
    pub worker: WorkerId,
    pub outbox: Outbox,
    pub storage: Storage,
    pub deliverer: webhooks::Deliverer,
    /// Speaks to addresses that tenants chose.
    pub egress: webhooks::Client,
    /// The card provider, if cards are on.
    pub cards: Option<Cards>,
    pub public_base_url: String,
    pub leaser: Leaser,
    pub settler: Settler,
    /// Commits that need not wait for the disk.
    pub relaxed_pool: PgPool,
    /// Bounds the memory that validation takes.
    verify_memory: Arc<Semaphore>,
    /// The same for packages that are light.
    verify_memory_light: Arc<Semaphore>,
    pub runs: Runs,
}

impl Context {
    /// Puts the parts together.
    pub fn new(
        config: &WorkerConfig,
        outbox: Outbox,
        relaxed_pool: PgPool,
        egress: webhooks::Client,
        cards: Option<Cards>,
    ) -> Self {
        let worker = WorkerId::new();
        let deliverer = webhooks::Deliverer::start(
            outbox.clone(),
            egress.clone(),
            Sealer::new(&config.secrets),
            Signer::new(&config.signing),
            config.public_base_url.clone(),
        );
        Self {
            worker,
            storage: Storage::new(&config.storage),
            deliverer,
            egress,
            cards,
            public_base_url: config.public_base_url.clone(),
            leaser: Leaser::start(relaxed_pool.clone(), worker),
            settler: Settler::start(outbox.clone(), worker, SETTLE_BATCH_MAX),
            relaxed_pool,
            outbox,
            verify_memory: Arc::new(Semaphore::new(VERIFY_KIB_MAX)),
            verify_memory_light: Arc::new(Semaphore::new(VERIFY_LIGHT_KIB_MAX)),
            runs: Runs::default(),
        }
    }

    /// For reads and single statements.
    pub fn pool(&self) -> &PgPool {
        self.outbox.pool()
    }

    /// Permits for that many bytes of packages, waiting until they are free.
    pub async fn reserve_memory(&self, bytes: u64) -> tokio::sync::OwnedSemaphorePermit {
        let (memory, kib_max) = match bytes <= LIGHT_PACKAGE_BYTES_MAX {
            true => (&self.verify_memory_light, VERIFY_LIGHT_KIB_MAX),
            false => (&self.verify_memory, VERIFY_KIB_MAX),
        };
        let kib = u32::try_from(bytes / 1024 + 1)
            .unwrap_or(u32::MAX)
            .min(kib_max as u32);
        Arc::clone(memory)
            .acquire_many_owned(kib)
            .await
            .expect("the semaphore is never closed")
    }
}
