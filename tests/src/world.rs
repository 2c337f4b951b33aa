//! A world per test: API, worker and scheduler in this process, over a database, a Redis prefix, an
//! object store and a webhook receiver of its own. It ends with the test's runtime.

use std::time::Duration;

use api::Api;
use common::agents::PresenceBoard;
use common::config::{
    ApiConfig, RateConfig, RetentionConfig, SchedulerConfig, SecretConfig, WebhookConfig,
    WorkerConfig,
};
use common::db::PgPool;
use common::identity::commands::create_key;
use common::identity::{Permission, Sealer};
use common::jobs::QueueSpec;
use common::limits::CARD_REQUEST;
use common::outbox::Outbox;
use common::queue::Queue;
use common::storage::Storage;
use local::cards::{Sandbox, SandboxOptions};
use local::github::GitHubSandbox;
use local::receiver::{Received, Receiver};
use local::s3::{LocalS3, S3Options};
use scheduler::Scheduler;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use worker::Worker;

use crate::event_bodies::StrictReceiver;
use crate::servers::{Locale, Servers, owner_pool};
use crate::settings::{ADMIN_TOKEN, BUCKET, any_port, configuration};
use crate::{Client, DEADLINE};

/// Where packages are found, as the seed documents write it.
pub const PUBLIC_BASE_URL: &str = "https://awareness.market";
/// The one other origin that may call the API from a browser.
pub const CORS_ORIGIN: &str = "https://console.example";
/// The seed of RFC 8037, appendix A.1.
pub const SIGNING_KEY: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

/// What a world starts with; `Plan::default()` is everything but cards, webhooks to loopback allowed.
#[derive(Debug, Clone)]
pub struct Plan {
    pub worker: bool,
    pub scheduler: bool,
    pub webhooks: WebhookConfig,
    /// A card provider of its own, whose webhooks go to the API.
    pub cards: bool,
    /// How long API and worker wait for it.
    pub card_timeout: Duration,
    /// A GitHub of its own.
    pub github: bool,
    pub rates: RateConfig,
    /// That of its database.
    pub locale: Locale,
    /// A Redis of its own, not the one that tests share.
    pub redis_url: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            worker: true,
            scheduler: true,
            webhooks: WebhookConfig {
                allowed_cidrs: vec!["127.0.0.0/8".parse().unwrap()],
                allow_http: true,
            },
            cards: false,
            card_timeout: CARD_REQUEST,
            github: false,
            rates: RateConfig {
                trusted: vec!["127.0.0.1/32".parse().unwrap()],
                ..RateConfig::default()
            },
            locale: Locale::C,
            redis_url: None,
        }
    }
}

/// A running system with two users, `seller` and `stranger`.
#[derive(Debug)]
pub struct World {
    /// With all rights: what a test does behind the product's back. The programs have the services' login.
    pub pool: PgPool,
    pub s3: LocalS3,
    pub storage: Storage,
    pub receiver: StrictReceiver,
    pub seller: Client,
    pub stranger: Client,
    pub anonymous: Client,
    pub operator: Client,
    cards: Option<Sandbox>,
    _github: Option<GitHubSandbox>,
    api: Option<Api>,
    worker: Option<Worker>,
    scheduler: Option<Scheduler>,
    api_config: ApiConfig,
    _folder: TempDir,
}

impl World {
    /// Everything runs.
    pub async fn start() -> Self {
        Self::planned(Plan::default()).await
    }

    /// Everything runs, and buyers have cards.
    pub async fn with_cards() -> Self {
        Self::planned(Plan {
            cards: true,
            ..Plan::default()
        })
        .await
    }

    /// Uploads are taken and wait, until [`World::start_worker`].
    pub async fn without_worker() -> Self {
        Self::planned(Plan {
            worker: false,
            ..Plan::default()
        })
        .await
    }

    /// Only the API: nothing works, nothing is swept but by the test.
    pub async fn only_api() -> Self {
        Self::planned(Plan {
            worker: false,
            scheduler: false,
            ..Plan::default()
        })
        .await
    }

    /// What the plan says runs.
    pub async fn planned(plan: Plan) -> Self {
        // The HTTP clients take whichever provider the process has; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let servers = Servers::shared().await;
        let folder = tempfile::tempdir().unwrap();
        let s3 = LocalS3::start(S3Options::sandbox(folder.path(), BUCKET))
            .await
            .unwrap();
        let receiver = StrictReceiver(Receiver::start(any_port()).await.unwrap());
        let mut api_config = configuration(servers, plan.locale, &s3, plan.webhooks).await;
        api_config.rates = plan.rates;
        if let Some(url) = plan.redis_url {
            api_config.redis.url = url.into();
        }
        let mut github = None;
        if plan.github {
            let sandbox = GitHubSandbox::start(0).await.unwrap();
            api_config.github = sandbox.config();
            github = Some(sandbox);
        }
        let mut cards = None;
        if plan.cards {
            let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
            api_config.cards = sandbox.card_config();
            api_config.cards.request_timeout = plan.card_timeout;
            cards = Some(sandbox);
        }
        use common::secrecy::ExposeSecret as _;
        let services_url = api_config.database.url.expose_secret();
        let pool = owner_pool(&servers.owner_url(services_url)).await;
        let api = Api::start(&api_config).await.unwrap();
        api_config.listen = api.address();
        if let Some(cards) = &cards {
            let url = format!("http://{}/api/webhooks/stripe", api.address());
            cards.send_webhooks_to(Some(url));
        }
        let sealer = Sealer::new(&api_config.secrets);
        let mut keys = Vec::new();
        for user in ["seller", "stranger"] {
            let created = create_key(&pool, &sealer, user, "test", &Permission::ALL)
                .await
                .unwrap();
            receiver.trust_api_key(created.key.expose());
            keys.push(created.key.expose().to_owned());
        }
        let anonymous = Client::new(format!("http://{}", api.address()), None);
        let mut world = Self {
            pool,
            storage: Storage::new(&api_config.storage),
            s3,
            receiver,
            seller: anonymous.with_token(&keys[0]),
            stranger: anonymous.with_token(&keys[1]),
            operator: anonymous.with_token(ADMIN_TOKEN),
            anonymous,
            cards,
            _github: github,
            api: Some(api),
            worker: None,
            scheduler: None,
            api_config,
            _folder: folder,
        };
        if plan.worker {
            world.start_worker().await;
        }
        if plan.scheduler {
            world.start_scheduler().await;
        }
        world
    }

    /// The card provider of a world that was planned with one.
    pub fn cards(&self) -> &Sandbox {
        self.cards.as_ref().expect("a plan with cards")
    }

    /// Starts a worker for all queues.
    pub async fn start_worker(&mut self) {
        self.start_worker_that_may_reach(self.api_config.webhooks.clone())
            .await;
    }

    /// Starts a worker with an egress policy of its own.
    pub async fn start_worker_that_may_reach(&mut self, webhooks: WebhookConfig) {
        let config = WorkerConfig {
            ops_listen: any_port(),
            public_base_url: PUBLIC_BASE_URL.to_owned(),
            database: self.api_config.database.clone(),
            redis: self.api_config.redis.clone(),
            storage: self.api_config.storage.clone(),
            secrets: self.api_config.secrets.clone(),
            signing: self.api_config.signing.clone(),
            webhooks,
            cards: self.api_config.cards.clone(),
        };
        let worker = Worker::start(&config, &QueueSpec::ALL).await.unwrap();
        self.worker = Some(worker);
    }

    /// Starts a scheduler; it leads within a second.
    pub async fn start_scheduler(&mut self) {
        let config = SchedulerConfig {
            ops_listen: any_port(),
            staging_grace: Duration::from_secs(3600),
            retention: RetentionConfig::default(),
            database: self.api_config.database.clone(),
            redis: self.api_config.redis.clone(),
            agents: self.api_config.agents.clone(),
            storage: self.api_config.storage.clone(),
        };
        self.scheduler = Some(Scheduler::start(&config).await.unwrap());
    }

    /// Another API process beside the first, and its address.
    pub async fn another_api(&self) -> (Api, Client) {
        let mut config = self.api_config.clone();
        config.listen = any_port();
        let api = Api::start(&config).await.unwrap();
        let client = Client::new(format!("http://{}", api.address()), None);
        (api, client)
    }

    /// Lets the worker finish what it runs, and stops it.
    pub async fn stop_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.drain().await;
        }
    }

    /// Stops all three processes, as SIGTERM does, and starts them again, the API on its address.
    pub async fn restart(&mut self) {
        self.stop_worker().await;
        if let Some(scheduler) = self.scheduler.take() {
            scheduler.stop().await;
        }
        if let Some(api) = self.api.take() {
            api.drain().await;
        }
        self.api = Some(Api::start(&self.api_config).await.unwrap());
        self.start_worker().await;
        self.start_scheduler().await;
    }

    /// Another hand on the same database and queues, for what only a process does.
    pub async fn outbox(&self) -> Outbox {
        use common::secrecy::ExposeSecret as _;
        let redis = &self.api_config.redis;
        let queue = Queue::connect(redis.url.expose_secret(), &redis.prefix).await;
        Outbox::new(self.pool.clone(), queue.unwrap())
    }

    /// The address of the database that the API is given.
    pub fn database_url(&self) -> &str {
        use common::secrecy::ExposeSecret as _;
        self.api_config.database.url.expose_secret()
    }

    /// A connection through that address: what it may is what the programs may.
    pub async fn as_services(&self) -> PgConnection {
        PgConnection::connect(self.database_url()).await.unwrap()
    }

    /// Runs statements that the schema would refuse, as one transaction without its triggers: how many rows
    /// they touched.
    pub async fn force(&self, sql: &str) -> u64 {
        let unguarded = format!("set local session_replication_role = replica; {sql}");
        let done = sqlx::raw_sql(AssertSqlSafe(unguarded))
            .execute(&self.pool)
            .await;
        done.unwrap().rows_affected()
    }

    /// What keys are sealed under.
    pub fn secrets(&self) -> SecretConfig {
        self.api_config.secrets.clone()
    }

    /// Uploads and waits for the end: the data of the final status.
    pub async fn publish(&self, request: &Value) -> Value {
        let answer = self.seller.upload(request).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        self.seller.ended(&answer.upload_id()).await
    }

    /// The webhook about an upload.
    pub async fn webhook(&self, upload_id: &str) -> Received {
        tokio::time::timeout(DEADLINE, self.receiver.wait_for_upload(upload_id))
            .await
            .expect("a webhook within the deadline")
    }

    /// The webhook address of this test.
    pub fn webhook_url(&self) -> String {
        format!("{}/webhook", self.receiver.url())
    }

    /// All keys under a prefix of the object store.
    pub async fn objects(&self, prefix: &str) -> Vec<String> {
        let page = self.storage.list(prefix, None).await.unwrap();
        page.into_iter().map(|object| object.key).collect()
    }

    /// The bytes of an object.
    pub async fn object(&self, key: &str) -> Vec<u8> {
        use futures::TryStreamExt as _;
        let chunks: Vec<bytes::Bytes> = self
            .storage
            .get(key)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        chunks.concat()
    }

    /// Who is present, as the programs write it.
    pub fn presence(&self) -> PresenceBoard {
        PresenceBoard::new(&self.api_config.redis, &self.api_config.agents).unwrap()
    }

    /// The name of a key of presence in Redis.
    pub fn presence_key(&self, name: &str) -> String {
        format!("{}{name}", self.api_config.agents.key_prefix)
    }

    /// One figure of a query.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}
