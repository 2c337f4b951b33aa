//! Epochs: how whoever keeps answers learns that they are old.
//!
//! An epoch counts the changes of a topic in Redis, in one small key; each change raises it after its
//! commit. Whoever keeps answers reads the epoch first and the data after it, so what is kept under an
//! epoch is at least as new as that. The answers themselves stay in the process that made them: nothing
//! that clients ask for takes room in Redis, where the queue is. A lost rise leaves old answers until
//! their time is over; nothing but freshness depends on Redis.

use std::time::Duration;

use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;

use crate::hurried_redis::{self, AddressError};

/// A cache must be faster than what it saves.
const PATIENCE: Duration = Duration::from_millis(100);

/// Reads epochs; clones share the connection.
#[derive(Clone)]
pub struct Epochs {
    connection: ConnectionManager,
    prefix: std::sync::Arc<str>,
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Epochs")
    }
}

impl Epochs {
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
        let read = connection.get::<_, Option<i64>>(key);
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(epoch)) => Some(epoch.unwrap_or_default()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "The epoch is not known");
                None
            }
            Err(_) => None,
        }
    }
}
