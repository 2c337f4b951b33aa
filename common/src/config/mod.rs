//! Configuration from the environment: one struct per concern, all of it read and checked before
//! the first socket opens, every fault reported at once.

mod cards;
mod env;
mod github;
mod rates;
mod sections;
mod signing;

pub use cards::{CardAccount, CardConfig};
pub use env::{ConfigError, Env};
pub use github::{GitHubApp, GitHubConfig};
pub use rates::{Calls, Per, ProxyHeader, RateConfig, RatePolicy};
pub use sections::{
    AgentsConfig, ApiConfig, DatabaseConfig, MigrationConfig, RedisConfig, RetentionConfig,
    SchedulerConfig, SecretConfig, StorageConfig, WebhookConfig, WorkerConfig,
};
pub use signing::{PublicKeyHex, PublicKeyHexError, SigningConfig};
