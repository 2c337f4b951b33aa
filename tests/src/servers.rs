//! One PostgreSQL and one Redis for a test process; a database and a prefix for each test.
//!
//! They are started with the first test and end with the process (the parent-death signal of
//! `local::process`); what an earlier process left in the temporary folder is removed by the next.
//! With `AWARENESS_TEST_POSTGRES_URL` and `AWARENESS_TEST_REDIS_URL` set, those servers are used
//! instead and left as they are, apart from databases and keys of random names.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::config::DatabaseConfig;
use common::db;
use local::postgres::{PostgresOptions, PrivatePostgres};
use local::redis::{PrivateRedis, RedisOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;

const FOLDER_PREFIX: &str = "awareness-tests-";

/// Settings for a server whose data nobody misses.
const CARELESS: [(&str, &str); 4] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("max_connections", "400"),
];

/// Where the servers of this process are.
#[derive(Debug)]
pub struct Servers {
    /// Up to the slash before the database's name.
    postgres_base: String,
    template: String,
    pub redis_url: String,
    _private: Option<(PrivatePostgres, PrivateRedis)>,
}

impl Servers {
    /// Those of this process, started once.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Servers> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// The URL of a new database with the schema of today.
    pub async fn create_database(&self) -> String {
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        self.administer(&format!(
            "create database {name} template {}",
            self.template
        ))
        .await;
        self.url(&name)
    }

    async fn start() -> Self {
        let given = ["POSTGRES", "REDIS"]
            .map(|server| std::env::var(format!("AWARENESS_TEST_{server}_URL")).ok());
        let (postgres_url, redis_url, private) = match given {
            [Some(postgres), Some(redis)] => (postgres, redis, None),
            _ => {
                let (postgres, redis) = start_private().await;
                let urls = (postgres.url("postgres"), redis.url());
                (urls.0, urls.1, Some((postgres, redis)))
            }
        };
        let (base, _) = postgres_url.rsplit_once('/').unwrap();
        let servers = Self {
            postgres_base: base.to_owned(),
            template: format!("template_{}", uuid::Uuid::now_v7().simple()),
            redis_url,
            _private: private,
        };
        servers.make_template().await;
        servers
    }

    async fn make_template(&self) {
        self.administer(&format!("create database {}", self.template))
            .await;
        let pool = db::connect(&small_pool(self.url(&self.template)))
            .await
            .unwrap();
        db::migrate(&pool).await.unwrap();
        // A template must have no sessions.
        pool.close().await;
    }

    async fn administer(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.postgres_base)
    }
}

/// A pool that opens connections when they are needed.
pub fn small_pool(url: String) -> DatabaseConfig {
    DatabaseConfig {
        url: url.into(),
        pool_min: 0,
        pool_max: 8,
        idle_timeout: Duration::from_secs(30),
        connection_timeout: Duration::from_secs(20),
    }
}

async fn start_private() -> (PrivatePostgres, PrivateRedis) {
    let folder = make_folder();
    let mut postgres = PostgresOptions::new(folder.join("postgres"), folder.join("postgres.log"));
    postgres.settings = CARELESS
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let redis = RedisOptions::new(folder.join("redis"), folder.join("redis.log"));
    let (postgres, redis) =
        tokio::join!(PrivatePostgres::start(postgres), PrivateRedis::start(redis));
    (postgres.unwrap(), redis.unwrap())
}

/// A folder named after this process; those of processes that are gone are removed.
fn make_folder() -> PathBuf {
    let temporary = std::env::temp_dir();
    for entry in std::fs::read_dir(&temporary).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(FOLDER_PREFIX);
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            // Another test process may be quicker.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let folder = temporary.join(format!("{FOLDER_PREFIX}{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // PostgreSQL runs as another user when we are root.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}
