//! The sections of the configuration. `.env.sample` lists every variable; a test holds the two
//! together.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{CardConfig, Env, GitHubConfig, RateConfig, SigningConfig};
use crate::limits::{AGENT_TTL, FEE_BASIS_POINTS_MAX, WEBHOOK_ATTEMPT_DAYS, WEBHOOK_BODY_DAYS};

/// PostgreSQL and its pool (the seed's names and defaults; times in milliseconds).
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    pub url: SecretString,
    pub pool_min: u32,
    pub pool_max: u32,
    pub idle_timeout: Duration,
    pub connection_timeout: Duration,
}

impl DatabaseConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let pool_min = env.or("DB_POOL_MIN", 5);
        let pool_max = env.or("DB_POOL_MAX", 25);
        if pool_max == 0 || pool_min > pool_max {
            env.fault("DB_POOL_MAX", "must be at least 1 and at least DB_POOL_MIN");
        }
        let idle_timeout = Duration::from_millis(env.or("DB_POOL_IDLE_TIMEOUT", 30_000));
        let connection_timeout = Duration::from_millis(env.or("DB_POOL_CONNECTION_TIMEOUT", 5_000));
        let url = env.secret("DATABASE_URL")?;
        if !is_postgres(url.expose_secret()) {
            env.fault("DATABASE_URL", "must start with postgres://");
            return None;
        }
        Some(Self {
            url,
            pool_min,
            pool_max,
            idle_timeout,
            connection_timeout,
        })
    }
}

/// Who brings the schema up to date, and whose login is made ready with it.
#[derive(Debug, Clone)]
pub struct MigrationConfig {
    /// The login that owns the schema: MIGRATION_DATABASE_URL, or else that of the services.
    pub owner: DatabaseConfig,
    /// The login of the services: DATABASE_URL.
    pub services_url: SecretString,
}

impl MigrationConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let owner_url: Option<String> = env.optional("MIGRATION_DATABASE_URL");
        let services = DatabaseConfig::from_env(env)?;
        let services_url = services.url.clone();
        let owner = match owner_url {
            Some(url) if !is_postgres(&url) => {
                env.fault("MIGRATION_DATABASE_URL", "must start with postgres://");
                return None;
            }
            Some(url) => DatabaseConfig {
                url: url.into(),
                ..services
            },
            None => services,
        };
        Some(Self {
            owner,
            services_url,
        })
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Redis. Every key starts with the prefix, so that installations and tests can share a server.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    pub url: SecretString,
    pub prefix: String,
}

impl RedisConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let prefix = env.or("REDIS_PREFIX", "awareness".to_owned());
        Some(Self {
            url: env.secret("REDIS_URL")?,
            prefix,
        })
    }
}

/// Agents: how long they are present, and under which keys of Redis.
#[derive(Debug, Clone)]
pub struct AgentsConfig {
    /// Begins the keys of their presence, which have the seed's names: `agent:{id}`, `agents:all`.
    pub key_prefix: String,
    /// An agent that gave no sign of life for so long is offline.
    pub time_to_live: Duration,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            key_prefix: String::new(),
            time_to_live: AGENT_TTL,
        }
    }
}

impl AgentsConfig {
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let seconds = env.or("AGENT_TTL_SECONDS", default.time_to_live.as_secs());
        if !(1..=86_400).contains(&seconds) {
            env.fault("AGENT_TTL_SECONDS", "must be from 1 to 86400");
        }
        Self {
            key_prefix: env.or("AGENTS_REDIS_PREFIX", default.key_prefix),
            time_to_live: Duration::from_secs(seconds),
        }
    }
}

/// S3 or what speaks its protocol.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    pub endpoint: Url,
    /// Where clients reach it, when that differs; presigned addresses carry it.
    pub public_endpoint: Url,
    pub region: String,
    pub bucket: String,
    pub access_key: String,
    pub secret_key: SecretString,
}

impl StorageConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let endpoint: Option<Url> = env.required("S3_ENDPOINT");
        let public_endpoint = env
            .optional("S3_PUBLIC_ENDPOINT")
            .or_else(|| endpoint.clone());
        let region = env.or("S3_REGION", "us-east-1".to_owned());
        let bucket = env.required("S3_BUCKET");
        let access_key = env.required("S3_ACCESS_KEY");
        let secret_key = env.secret("S3_SECRET_KEY");
        Some(Self {
            endpoint: endpoint?,
            public_endpoint: public_endpoint?,
            region,
            bucket: bucket?,
            access_key: access_key?,
            secret_key: secret_key?,
        })
    }
}

/// The key under which API keys are sealed: 32 bytes in hex.
#[derive(Debug, Clone)]
pub struct SecretConfig {
    pub master_key: SecretString,
}

impl SecretConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let master_key = env.secret("AWARENESS_MASTER_KEY")?;
        let text = master_key.expose_secret();
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            env.fault(
                "AWARENESS_MASTER_KEY",
                "must be 64 hexadecimal digits (openssl rand -hex 32)",
            );
            return None;
        }
        Some(Self { master_key })
    }
}

/// What webhooks may reach beyond the public internet. Empty for production.
#[derive(Debug, Clone, Default)]
pub struct WebhookConfig {
    pub allowed_cidrs: Vec<IpNet>,
    pub allow_http: bool,
}

impl WebhookConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        Some(Self {
            allowed_cidrs: env.list("WEBHOOK_ALLOWED_CIDRS"),
            allow_http: env.or("WEBHOOK_ALLOW_HTTP", false),
        })
    }
}

/// The API process.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    pub listen: SocketAddr,
    pub ops_listen: SocketAddr,
    /// How clients reach this service, without a slash at the end.
    pub public_base_url: String,
    /// The platform's share of a price, in hundredths of a per cent.
    pub fee_basis_points: u16,
    pub admin_token: SecretString,
    pub database: DatabaseConfig,
    pub redis: RedisConfig,
    pub agents: AgentsConfig,
    pub storage: StorageConfig,
    pub secrets: SecretConfig,
    pub signing: SigningConfig,
    pub webhooks: WebhookConfig,
    pub cards: CardConfig,
    pub github: GitHubConfig,
    pub rates: RateConfig,
    /// Pages of other origins that may call the API from a browser; `*` for all.
    pub cors_origins: Vec<String>,
}

impl ApiConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let listen = env.or("API_LISTEN", SocketAddr::from(([0, 0, 0, 0], 8080)));
        let ops_listen = env.or("API_OPS_LISTEN", SocketAddr::from(([0, 0, 0, 0], 9090)));
        let public_base_url: Option<Url> = env.required("PUBLIC_BASE_URL");
        let fee_basis_points = env.or("FEE_BASIS_POINTS", 1500);
        if fee_basis_points > FEE_BASIS_POINTS_MAX {
            let fault = format!("must be at most {FEE_BASIS_POINTS_MAX}");
            env.fault("FEE_BASIS_POINTS", &fault);
        }
        let admin_token = env.secret("AWARENESS_ADMIN_TOKEN");
        if admin_token
            .as_ref()
            .is_some_and(|token| token.expose_secret().len() < 16)
        {
            env.fault("AWARENESS_ADMIN_TOKEN", "must have at least 16 characters");
        }
        let database = DatabaseConfig::from_env(env);
        let redis = RedisConfig::from_env(env);
        let storage = StorageConfig::from_env(env);
        let secrets = SecretConfig::from_env(env);
        let signing = SigningConfig::from_env(env);
        let webhooks = WebhookConfig::from_env(env);
        let cards = CardConfig::from_env(env);
        let github = GitHubConfig::from_env(env);
        let rates = RateConfig::from_env(env);
        let cors_origins = env.list("CORS_ORIGINS");
        Some(Self {
            listen,
            ops_listen,
            public_base_url: public_base_url?.as_str().trim_end_matches('/').to_owned(),
            fee_basis_points,
            admin_token: admin_token?,
            database: database?,
            redis: redis?,
            agents: AgentsConfig::from_env(env),
            storage: storage?,
            secrets: secrets?,
            signing: signing?,
            webhooks: webhooks?,
            cards: cards?,
            github,
            rates,
            cors_origins,
        })
    }
}

/// A worker process.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    pub ops_listen: SocketAddr,
    /// Where a published package is found; webhooks carry it.
    pub public_base_url: String,
    pub database: DatabaseConfig,
    pub redis: RedisConfig,
    pub storage: StorageConfig,
    pub secrets: SecretConfig,
    /// Signs webhooks beside their secrets.
    pub signing: SigningConfig,
    pub webhooks: WebhookConfig,
    pub cards: CardConfig,
}

impl WorkerConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let ops_listen = env.or("WORKER_OPS_LISTEN", SocketAddr::from(([0, 0, 0, 0], 9091)));
        let public_base_url: Option<Url> = env.required("PUBLIC_BASE_URL");
        let database = DatabaseConfig::from_env(env);
        let redis = RedisConfig::from_env(env);
        let storage = StorageConfig::from_env(env);
        let secrets = SecretConfig::from_env(env);
        let signing = SigningConfig::from_env(env);
        let webhooks = WebhookConfig::from_env(env);
        let cards = CardConfig::from_env(env);
        Some(Self {
            ops_listen,
            public_base_url: public_base_url?.as_str().trim_end_matches('/').to_owned(),
            database: database?,
            redis: redis?,
            storage: storage?,
            secrets: secrets?,
            signing: signing?,
            webhooks: webhooks?,
            cards: cards?,
        })
    }
}

/// A scheduler process.
#[derive(Debug, Clone)]
pub struct SchedulerConfig {
    pub ops_listen: SocketAddr,
    /// Staged bytes that no upload names are taken away after this long. At least the longest
    /// request, so that an upload in flight is never swept.
    pub staging_grace: Duration,
    pub retention: RetentionConfig,
    pub database: DatabaseConfig,
    pub redis: RedisConfig,
    pub agents: AgentsConfig,
    pub storage: StorageConfig,
}

/// How long webhooks are remembered.
#[derive(Debug, Clone, Copy)]
pub struct RetentionConfig {
    /// The bytes of events.
    pub body_days: i32,
    /// Attempts, and events that have ended.
    pub attempt_days: i32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            body_days: WEBHOOK_BODY_DAYS,
            attempt_days: WEBHOOK_ATTEMPT_DAYS,
        }
    }
}

impl RetentionConfig {
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let body_days = env.or("WEBHOOK_BODY_DAYS", default.body_days);
        if !(1..=90).contains(&body_days) {
            env.fault("WEBHOOK_BODY_DAYS", "must be from 1 to 90");
        }
        let attempt_days = env.or("WEBHOOK_ATTEMPT_DAYS", default.attempt_days);
        if !(body_days..=366).contains(&attempt_days) {
            env.fault(
                "WEBHOOK_ATTEMPT_DAYS",
                "must be at least WEBHOOK_BODY_DAYS and at most 366",
            );
        }
        Self {
            body_days,
            attempt_days,
        }
    }
}

impl SchedulerConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let ops_listen = env.or(
            "SCHEDULER_OPS_LISTEN",
            SocketAddr::from(([0, 0, 0, 0], 9092)),
        );
        let staging_grace = Duration::from_secs(env.or("STAGING_GRACE_SECONDS", 3600));
        let retention = RetentionConfig::from_env(env);
        let database = DatabaseConfig::from_env(env);
        let redis = RedisConfig::from_env(env);
        let storage = StorageConfig::from_env(env);
        Some(Self {
            ops_listen,
            staging_grace,
            retention,
            database: database?,
            redis: redis?,
            agents: AgentsConfig::from_env(env),
            storage: storage?,
        })
    }
}
