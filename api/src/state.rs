//! What every handler has at hand.

use std::ops::Deref;
use std::sync::Arc;

use common::accounts::{GitHub, Guesses, Passwords, TokenMaker};
use common::agents::PresenceBoard;
use common::analytics::RequestCounts;
use common::cache::Epochs;
use common::cards::Cards;
use common::catalog::CATALOGUE;
use common::config::{ApiConfig, RateConfig};
use common::db::PgPool;
use common::events::Tail;
use common::identity::Sealer;
use common::limits::VALIDATIONS_MAX;
use common::outbox::Outbox;
use common::secrecy::{ExposeSecret as _, SecretString};
use common::signatures::Signer;
use common::storage::Storage;
use common::throttle::Throttle;
use common::webhooks::Policy;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::places::Places;
use crate::process::StartError;
use crate::routes::agents::RecentLists;
use crate::routes::analytics::KeptAnalytics;
use crate::routes::packages::{Cached, SearchTurns};
use crate::routes::uploads::CompletedUploads;

/// The world of a handler; cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiState(Arc<Parts>);

/// What that world is made of.
#[derive(Debug)]
pub struct Parts {
    pub outbox: Outbox,
    pub storage: Storage,
    pub sealer: Sealer,
    /// Signs receipts and quotes.
    pub signer: Signer,
    /// Which webhook addresses are taken.
    pub webhook_policy: Policy,
    pub admin_token: SecretString,
    pub public_base_url: String,
    pub fee_basis_points: u16,
    /// The card provider, if cards are on.
    pub cards: Option<Cards>,
    /// What the card provider signs its webhooks with.
    pub card_webhook_secret: Option<SecretString>,
    /// Makes and reads access tokens.
    pub tokens: TokenMaker,
    pub passwords: Passwords,
    /// Counts wrong passwords.
    pub guesses: Guesses,
    /// GitHub, if people sign in through it.
    pub github: Option<GitHub>,
    pub rates: RateConfig,
    pub throttle: Throttle,
    /// Which agents are present.
    pub presence: PresenceBoard,
    /// The end of the event log.
    pub events: Tail,
    /// Lists of agents.
    pub agent_lists: RecentLists,
    /// Answers about the market.
    pub catalogue: Cached,
    /// Counts what leaves no row: views, searches without results, active accounts.
    pub counts: RequestCounts,
    /// Analytics of periods that are over.
    pub analytics: KeptAnalytics,
    /// Bounds the searches that are worked out.
    pub search_turns: SearchTurns,
    pub completed_uploads: CompletedUploads,
    /// What is under way, in all and for each client.
    pub places: Places,
    pub cors_origins: Vec<String>,
    /// Bounds the packages that are validated in memory.
    pub validations: Arc<Semaphore>,
    /// Cancelled when the process stops: long waits end early.
    pub stopping: CancellationToken,
}

impl Deref for ApiState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl ApiState {
    /// Puts the parts together.
    pub fn new(
        config: &ApiConfig,
        outbox: Outbox,
        stopping: CancellationToken,
    ) -> Result<Self, StartError> {
        let account = config.cards.account.as_ref();
        let signer = Signer::new(&config.signing);
        let throttle = Throttle::new(config.redis.url.expose_secret(), &config.redis.prefix)?;
        let callback = format!("{}/api/auth/github/callback", config.public_base_url);
        Ok(Self(Arc::new(Parts {
            tokens: TokenMaker::new(&signer, &config.public_base_url),
            passwords: Passwords::new()?,
            github: GitHub::new(&config.github, &callback)?,
            guesses: Guesses::new(throttle.clone()),
            throttle,
            presence: PresenceBoard::new(&config.redis, &config.agents)?,
            events: Tail::start(outbox.pool().clone(), outbox.queue()),
            agent_lists: RecentLists::default(),
            rates: config.rates.clone(),
            catalogue: Cached::new(
                Epochs::new(config.redis.url.expose_secret(), &config.redis.prefix)?,
                outbox.queue().subscribe(CATALOGUE),
            ),
            counts: RequestCounts::default(),
            analytics: KeptAnalytics::default(),
            search_turns: SearchTurns::default(),
            outbox,
            storage: Storage::new(&config.storage),
            sealer: Sealer::new(&config.secrets),
            signer,
            webhook_policy: Policy::from(&config.webhooks),
            admin_token: config.admin_token.clone(),
            public_base_url: config.public_base_url.clone(),
            fee_basis_points: config.fee_basis_points,
            cards: Cards::new(&config.cards)?,
            card_webhook_secret: account.map(|account| account.webhook_secret.clone()),
            completed_uploads: CompletedUploads::default(),
            places: Places::default(),
            validations: Arc::new(Semaphore::new(VALIDATIONS_MAX)),
            cors_origins: config.cors_origins.clone(),
            stopping,
        })))
    }

    /// For reads and single statements.
    pub fn pool(&self) -> &PgPool {
        self.outbox.pool()
    }
}
