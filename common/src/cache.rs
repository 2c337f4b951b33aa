//! Answers that are kept in Redis for a while, under the epoch of what they were made from.
//!
//! An epoch counts the changes of a topic; each change raises it after its commit. Whoever caches reads
//! the epoch first and the data after it, so what is kept under an epoch is at least as new as that. A
//! lost rise leaves old answers until their time is over; nothing but freshness depends on Redis.

use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{AsyncCommands as _, RedisError};

use crate::hurried_redis::{self, AddressError};

/// A cache must be faster than what it saves.
const PATIENCE: Duration = Duration::from_millis(100);

/// A cache; clones share the connection.
#[derive(Clone)]
pub struct Cache {
    connection: ConnectionManager,
    prefix: std::sync::Arc<str>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    /// Prepares a connection of its own without waiting for it.
    pub fn new(redis_url: &str, prefix: &str) -> Result<Self, AddressError> {
        Ok(Self {
            connection: hurried_redis::connection(redis_url, PATIENCE)?,
            prefix: prefix.into(),
        })
    }

    /// The epoch of a topic; none while Redis is away.
    pub async fn epoch(&self, topic: &str) -> Option<i64> {
        let key = format!("{}:epoch:{topic}", self.prefix);
        let mut connection = self.connection.clone();
        let read = async move { connection.get::<_, Option<i64>>(key).await };
        within(read).await.map(Option::unwrap_or_default)
    }

    /// What is kept under that key.
    pub async fn get(&self, key: &str) -> Option<String> {
        let key = format!("{}:cache:{key}", self.prefix);
        let mut connection = self.connection.clone();
        within(async move { connection.get(key).await }).await?
    }

    /// Keeps a text for that long.
    pub async fn put(&self, key: &str, text: &str, time_to_live: Duration) {
        let key = format!("{}:cache:{key}", self.prefix);
        let mut connection = self.connection.clone();
        let (text, seconds) = (text.to_owned(), time_to_live.as_secs());
        let _kept: Option<()> =
            within(async move { connection.set_ex(key, text, seconds).await }).await;
    }
}

async fn within<T>(exchange: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, exchange).await {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::debug!(%error, "The cache did not answer");
            None
        }
        Err(_) => None,
    }
}
