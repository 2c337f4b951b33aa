//! The settings of a world's API: whatever has no meaning to a test stands here.

use std::net::SocketAddr;

use common::config::{
    AgentsConfig, ApiConfig, CardConfig, GitHubConfig, RateConfig, RedisConfig, SecretConfig,
    SigningConfig, StorageConfig, WebhookConfig,
};
use local::s3::{LocalS3, S3Options};

use crate::servers::{Locale, Servers, small_pool};
use crate::world::{CORS_ORIGIN, PUBLIC_BASE_URL, SIGNING_KEY};

/// The one bucket.
pub const BUCKET: &str = "awareness";
/// What operators send.
pub const ADMIN_TOKEN: &str = "operator-token-of-the-tests";
const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// A public key that signs no more: that of RFC 8032, section 7.1, test 2.
const RETIRED_SIGNING_KEY: &str =
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

/// An API over these stores, with a database of its own.
pub async fn configuration(
    servers: &Servers,
    locale: Locale,
    s3: &LocalS3,
    webhooks: WebhookConfig,
) -> ApiConfig {
    let redis = RedisConfig {
        url: servers.redis_url.clone().into(),
        prefix: format!("test-{}", uuid::Uuid::now_v7().simple()),
    };
    let sandbox = S3Options::sandbox("", BUCKET);
    ApiConfig {
        listen: any_port(),
        ops_listen: any_port(),
        public_base_url: PUBLIC_BASE_URL.to_owned(),
        fee_basis_points: 1500,
        admin_token: ADMIN_TOKEN.into(),
        database: small_pool(servers.create_database(locale).await),
        agents: agents_of(&redis),
        redis,
        storage: StorageConfig {
            endpoint: s3.endpoint().parse().unwrap(),
            public_endpoint: s3.endpoint().parse().unwrap(),
            region: "us-east-1".to_owned(),
            bucket: BUCKET.to_owned(),
            access_key: sandbox.access_key,
            secret_key: sandbox.secret_key.into(),
        },
        secrets: SecretConfig {
            master_key: MASTER_KEY.into(),
        },
        signing: SigningConfig {
            key: SIGNING_KEY.into(),
            retired_keys: vec![RETIRED_SIGNING_KEY.parse().unwrap()],
        },
        webhooks,
        cards: CardConfig::default(),
        github: GitHubConfig::default(),
        rates: RateConfig::default(),
        cors_origins: vec![CORS_ORIGIN.to_owned()],
    }
}

/// Agents under keys of their own.
pub fn agents_of(redis: &RedisConfig) -> AgentsConfig {
    AgentsConfig {
        key_prefix: format!("{}:", redis.prefix),
        ..AgentsConfig::default()
    }
}

/// A free port of this machine.
pub fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
