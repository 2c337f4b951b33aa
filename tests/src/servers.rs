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
use common::db::{self, PgPool};
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

/// What a database says of letters and their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Locale {
    /// ASCII alone, as in the stack of `./run`.
    #[default]
    C,
    /// Those of Unicode.
    Icu,
}

/// Where the servers of this process are.
#[derive(Debug)]
pub struct Servers {
    /// Each up to the slash before the database's name: the login with all rights, the one that migrates, and
    /// that of the services.
    owner_base: String,
    migrator_base: String,
    services_base: String,
    template: String,
    /// The same with ICU's locale, made when a test asks for it.
    icu_template: OnceCell<String>,
    pub redis_url: String,
    _private: Option<(PrivatePostgres, PrivateRedis)>,
}

impl Servers {
    /// Those of this process, started once.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Servers> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A new database with the schema of today: its URL for the services, whose login owns nothing.
    pub async fn create_database(&self, locale: Locale) -> String {
        let template = match locale {
            Locale::C => &self.template,
            Locale::Icu => {
                self.icu_template
                    .get_or_init(|| self.make_icu_template())
                    .await
            }
        };
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        let migrator = user_of(&self.migrator_base);
        self.administer(&format!(
            "create database {name} template {template} owner \"{migrator}\""
        ))
        .await;
        format!("{}/{name}", self.services_base)
    }

    /// The URL of such a database for a login with all rights: what tests do behind the product's back.
    pub fn owner_url(&self, services_url: &str) -> String {
        let (_, name) = services_url.rsplit_once('/').unwrap();
        format!("{}/{name}", self.owner_base)
    }

    async fn start() -> Self {
        let given = ["POSTGRES", "REDIS"]
            .map(|server| std::env::var(format!("AWARENESS_TEST_{server}_URL")).ok());
        let template = format!("template_{}", uuid::Uuid::now_v7().simple());
        let servers = match given {
            [Some(postgres), Some(redis)] => Self::given(&postgres, redis, template),
            _ => Self::private(template).await,
        };
        if servers._private.is_none() {
            let statement = format!("create database {}", servers.template);
            servers.administer(&statement).await;
        }
        servers.migrate(&servers.template).await;
        servers
    }

    /// Servers that somebody else runs: whoever is given migrates, and the services get a login of random name.
    fn given(postgres: &str, redis_url: String, template: String) -> Self {
        let (base, _) = postgres.rsplit_once('/').unwrap();
        let random = uuid::Uuid::now_v7().simple();
        let address = &base[base.rfind('@').unwrap()..];
        Self {
            owner_base: base.to_owned(),
            migrator_base: base.to_owned(),
            services_base: format!("postgres://services_{random}:{random}{address}"),
            template,
            icu_template: OnceCell::new(),
            redis_url,
            _private: None,
        }
    }

    async fn private(template: String) -> Self {
        let (postgres, redis) = start_private().await;
        postgres.create_database(&template).await.unwrap();
        let base = |url: String| url.trim_end_matches('/').to_owned();
        Self {
            owner_base: base(postgres.url("")),
            migrator_base: base(postgres.migrator_url("")),
            services_base: base(postgres.services_url("")),
            template,
            icu_template: OnceCell::new(),
            redis_url: redis.url(),
            _private: Some((postgres, redis)),
        }
    }

    async fn make_icu_template(&self) -> String {
        let name = format!("{}_icu", self.template);
        let migrator = user_of(&self.migrator_base);
        self.administer(&format!(
            "create database {name} template template0 owner \"{migrator}\" encoding 'UTF8'
             locale_provider icu icu_locale 'en-US' locale 'C.UTF-8'"
        ))
        .await;
        self.migrate(&name).await;
        name
    }

    async fn migrate(&self, database: &str) {
        let migrator_url = format!("{}/{database}", self.migrator_base);
        let pool = db::connect_as_owner(&small_pool(migrator_url))
            .await
            .unwrap();
        db::migrate(&pool).await.unwrap();
        let services_url = format!("{}/{database}", self.services_base);
        let is_apart = db::ensure_login(&pool, &services_url.into()).await.unwrap();
        assert!(is_apart, "the services have a login of their own");
        // A template must have no sessions.
        pool.close().await;
    }

    async fn administer(&self, statement: &str) {
        let url = format!("{}/postgres", self.owner_base);
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }
}

fn user_of(base: &str) -> String {
    url::Url::parse(base).unwrap().username().to_owned()
}

/// A pool with all the rights of its login, for what a test does behind the product's back.
pub async fn owner_pool(url: &str) -> PgPool {
    let options = sqlx::postgres::PgPoolOptions::new()
        .min_connections(0)
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(20));
    options.connect(url).await.unwrap()
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
