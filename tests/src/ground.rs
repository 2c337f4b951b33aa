//! What the job tests stand on: a database of their own in a private PostgreSQL, a prefix of their
//! own in a private Redis, a store, a receiver, and the real worker and scheduler in this process.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use common::agents::PresenceBoard;
use common::catalog::License;
use common::config::{
    CardConfig, DatabaseConfig, RedisConfig, RetentionConfig, SchedulerConfig, SecretConfig,
    SigningConfig, StorageConfig, WebhookConfig, WorkerConfig,
};
use common::db::{self, PgPool};
use common::identity::commands::{CreatedKey, create_key};
use common::identity::{Permission, Sealer};
use common::ids::{JobId, UploadId};
use common::jobs::{
    JobDetail, JobFilter, JobName, JobState, JobSummary, QueueSpec, find_job, list_jobs,
};
use common::money::Price;
use common::outbox::Outbox;
use common::queue::Queue;
use common::storage::{Blob, Storage, staging_key};
use common::uploads::{BlobInfo, NewUpload, Upload, UploadFields, commands, find};
use local::postgres::{PostgresOptions, PrivatePostgres};
use local::receiver::Receiver;
use local::s3::{LocalS3, S3Options};
use package::PackageType;
use scheduler::Scheduler;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;
use worker::Worker;

use crate::redis::RedisServer;
use crate::sample::Sample;
use crate::servers::{owner_pool, small_pool};
use crate::settings::agents_of;
use crate::stack::eventually;
use crate::world::SIGNING_KEY;

/// When a test gives up; far above what anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(120);
/// 32 bytes in hex; it guards nothing.
const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const BUCKET: &str = "awareness";

/// A private PostgreSQL and the folder it lives in.
#[derive(Debug)]
pub struct Postgres {
    pub server: Mutex<PrivatePostgres>,
    _folder: TempDir,
}

impl Postgres {
    /// A server of its own, for a test that stops it.
    pub async fn start() -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // The server's own user must pass.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
            .expect("our own folder");
        let mut options =
            PostgresOptions::new(folder.path().join("data"), folder.path().join("log"));
        // A database per test, and each has pools of its own.
        options.settings = vec![("max_connections".to_owned(), "400".to_owned())];
        let server = PrivatePostgres::start(options).await;
        Arc::new(Self {
            server: Mutex::new(server.expect("PostgreSQL is installed")),
            _folder: folder,
        })
    }

    /// The one server of a test run; it goes with the last test that holds it.
    pub async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Self::start().await;
        *shared = Arc::downgrade(&server);
        server
    }
}

/// One test's world. Nothing works in it until a worker or a scheduler is started.
#[derive(Debug)]
pub struct Ground {
    /// With all rights: what a test does behind the product's back.
    pub pool: PgPool,
    pub outbox: Outbox,
    pub queue: Queue,
    pub storage: Storage,
    pub seller: CreatedKey,
    pub receiver: Receiver,
    pub s3: LocalS3,
    pub redis: Arc<RedisServer>,
    pub postgres: Arc<Postgres>,
    pub prefix: String,
    worker: WorkerConfig,
    sealer: Sealer,
    _folder: TempDir,
}

impl Ground {
    /// On the servers that all tests share.
    pub async fn shared() -> Self {
        Self::on(Postgres::shared().await, RedisServer::shared()).await
    }

    /// On servers of its own as given.
    pub async fn on(postgres: Arc<Postgres>, redis: Arc<RedisServer>) -> Self {
        // Fails only if another test was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let name = format!("test_{}", Uuid::new_v4().simple());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let s3 = LocalS3::start(S3Options::sandbox(folder.path(), BUCKET))
            .await
            .expect("a store");
        let receiver = Receiver::start(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .expect("a receiver");
        let (services_url, migrator_url, owner_url) = {
            let server = postgres.server.lock().await;
            server.create_database(&name).await.expect("a database");
            (
                server.services_url(&name),
                server.migrator_url(&name),
                server.url(&name),
            )
        };
        let migrator = db::connect_as_owner(&small_pool(migrator_url)).await;
        let migrator = migrator.expect("a connection");
        db::migrate(&migrator).await.expect("sound migrations");
        let worker = worker_config(&services_url, &redis.url(), &name, &s3.endpoint());
        let pool = owner_pool(&owner_url).await;
        let queue = Queue::connect(&redis.url(), &name)
            .await
            .expect("an address");
        let sealer = Sealer::new(&worker.secrets);
        let seller = create_key(&pool, &sealer, "seller", "test", &Permission::ALL)
            .await
            .expect("a key");
        receiver.trust_api_key(seller.key.expose());
        Self {
            outbox: Outbox::new(pool.clone(), queue.clone()),
            storage: Storage::new(&worker.storage),
            pool,
            queue,
            seller,
            receiver,
            s3,
            redis,
            postgres,
            prefix: name,
            worker,
            sealer,
            _folder: folder,
        }
    }

    /// A worker of all queues.
    pub async fn worker(&self) -> Worker {
        self.worker_of(&QueueSpec::ALL).await
    }

    /// A worker of these queues.
    pub async fn worker_of(&self, queues: &[&'static QueueSpec]) -> Worker {
        Worker::start(&self.worker, queues).await.expect("a worker")
    }

    /// Who is present, as the scheduler keeps it.
    pub fn presence(&self) -> PresenceBoard {
        let redis = &self.worker.redis;
        PresenceBoard::new(redis, &agents_of(redis)).expect("an address")
    }

    /// A scheduler.
    pub async fn scheduler(&self) -> Scheduler {
        let config = SchedulerConfig {
            ops_listen: self.worker.ops_listen,
            staging_grace: Duration::from_secs(3600),
            retention: RetentionConfig::default(),
            database: self.worker.database.clone(),
            redis: self.worker.redis.clone(),
            agents: agents_of(&self.worker.redis),
            storage: self.worker.storage.clone(),
        };
        Scheduler::start(&config).await.expect("a scheduler")
    }

    /// Another user with a key.
    pub async fn user(&self, name: &str) -> CreatedKey {
        let created = create_key(&self.pool, &self.sealer, name, "test", &Permission::ALL).await;
        created.expect("a key")
    }

    /// An upload of the seller whose webhook goes to the receiver: staged, recorded, its job pushed.
    pub async fn upload(&self, sample: &Sample) -> UploadId {
        self.upload_of(&self.seller, sample).await
    }

    /// The same for another user.
    pub async fn upload_of(&self, owner: &CreatedKey, sample: &Sample) -> UploadId {
        let new = self.new_upload(owner, sample);
        for (blob, bytes) in [
            (Blob::Package, &sample.package),
            (Blob::WMatrix, &sample.w_matrix),
        ] {
            let key = staging_key(new.id, blob, 0);
            let digest = Sha256::digest(bytes);
            let put = self
                .storage
                .put(&key, Bytes::copy_from_slice(bytes), &digest);
            put.await.expect("the store takes it");
        }
        commands::create(&self.outbox, &new, None)
            .await
            .expect("it is recorded");
        new.id
    }

    fn new_upload(&self, owner: &CreatedKey, sample: &Sample) -> NewUpload {
        let blob = |bytes: &[u8]| BlobInfo {
            size_bytes: bytes.len() as u64,
            sha256: Sha256::digest(bytes).to_vec(),
            parts: 1,
        };
        NewUpload {
            id: UploadId::new(),
            owner: owner.user,
            api_key: owner.id,
            session: None,
            request_id: "req_test".to_owned(),
            fields: UploadFields {
                placement: common::catalog::Placement::default(),
                package_type: PackageType::Vector,
                name: format!("Sample {}", sample.number),
                description: "Two vectors and the identity.".to_owned(),
                source_model: "house-model-a".to_owned(),
                target_model: "house-model-b".to_owned(),
                epsilon: sample.epsilon(),
                price: Price::parse("1.25").expect("a price"),
                license: License::default(),
                webhook_url: Some(format!("{}/hook", self.receiver.url())),
            },
            package: blob(&sample.package),
            w_matrix: blob(&sample.w_matrix),
        }
    }

    /// The row of an upload.
    pub async fn find_upload(&self, id: UploadId) -> Upload {
        find(&self.pool, id)
            .await
            .expect("an answer")
            .expect("a row")
    }

    /// The only job of that name, if there is one.
    pub async fn find_job(&self, name: JobName) -> Option<JobSummary> {
        let filter = JobFilter {
            name: Some(name.as_str().to_owned()),
            limit: 10,
            ..JobFilter::default()
        };
        // PostgreSQL may be away for a while in these tests.
        let mut jobs = list_jobs(&self.pool, &filter).await.ok()?;
        assert!(jobs.len() <= 1, "more than one {name}: {jobs:?}");
        jobs.pop()
    }

    /// The only job of that name, whatever its state.
    pub async fn job(&self, name: JobName) -> JobSummary {
        self.find_job(name).await.expect("a job")
    }

    /// A job with its history.
    pub async fn history(&self, id: JobId) -> JobDetail {
        find_job(&self.pool, id).await.expect("a job")
    }

    /// Waits until the only job of that name is as wanted.
    pub async fn job_becomes(
        &self,
        name: JobName,
        wanted: impl Fn(&JobSummary) -> bool,
    ) -> JobSummary {
        let look = || async { self.find_job(name).await.filter(|job| wanted(job)) };
        match timeout(DEADLINE, eventually(look)).await {
            Ok(job) => job,
            Err(_) => panic!("{name} stayed as it is: {:?}", self.find_job(name).await),
        }
    }

    /// Like [`Ground::job_becomes`], without waiting for the delays between the attempts.
    pub async fn job_hurries_to(
        &self,
        name: JobName,
        wanted: impl Fn(&JobSummary) -> bool,
    ) -> JobSummary {
        let hurry = async {
            loop {
                self.run("update jobs set run_at = now() where state = 'ready' and run_at > now()")
                    .await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            job = self.job_becomes(name, wanted) => job,
            () = hurry => unreachable!("it never ends"),
        }
    }

    /// Waits until a webhook was delivered and its endpoint's alarm rests.
    pub async fn webhook_is_delivered(&self) {
        self.becomes("select exists (select from webhook_deliveries where state = 'delivered')")
            .await;
        self.job_becomes(JobName::DeliverWebhook, |job| job.state == JobState::Idle)
            .await;
    }

    /// Waits until a row of SQL says true.
    pub async fn becomes(&self, sql: &'static str) {
        let look = || async {
            let found: Option<bool> = sqlx::query_scalar(sql).fetch_one(&self.pool).await.ok();
            found.filter(|found| *found)
        };
        assert!(
            timeout(DEADLINE, eventually(look)).await.is_ok(),
            "it stayed false: {sql}"
        );
    }

    /// Runs a statement behind the product's back, with the rights of the schema's owner.
    pub async fn run(&self, sql: &'static str) -> u64 {
        let mut login = PgConnection::connect_with(&self.pool.connect_options())
            .await
            .expect("a connection");
        let done = sqlx::query(sql).execute(&mut login).await;
        done.expect("a sound statement").rows_affected()
    }

    /// The number that a statement answers.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&self.pool)
            .await
            .expect("a sound statement")
    }
}

fn worker_config(database_url: &str, redis_url: &str, prefix: &str, s3: &str) -> WorkerConfig {
    let s3: url::Url = s3.parse().expect("an address");
    WorkerConfig {
        ops_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        public_base_url: "http://market.test".to_owned(),
        database: DatabaseConfig {
            url: database_url.into(),
            pool_min: 1,
            pool_max: 8,
            idle_timeout: Duration::from_secs(30),
            connection_timeout: Duration::from_secs(5),
        },
        redis: RedisConfig {
            url: redis_url.into(),
            prefix: prefix.to_owned(),
        },
        storage: StorageConfig {
            endpoint: s3.clone(),
            public_endpoint: s3,
            region: "us-east-1".to_owned(),
            bucket: BUCKET.to_owned(),
            access_key: "sandbox".to_owned(),
            secret_key: "sandbox-secret".into(),
        },
        secrets: SecretConfig {
            master_key: MASTER_KEY.into(),
        },
        signing: SigningConfig {
            key: SIGNING_KEY.into(),
            retired_keys: Vec::new(),
        },
        webhooks: WebhookConfig {
            allowed_cidrs: vec!["127.0.0.0/8".parse().expect("a network")],
            allow_http: true,
        },
        cards: CardConfig::default(),
    }
}
