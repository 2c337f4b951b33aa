//! Connections to Redis for what can do without it: they give up soon, and nobody waits for the first.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};
use thiserror::Error;

/// Longest pause between two attempts to connect.
const CONNECT_DELAY_MAX: Duration = Duration::from_millis(500);

/// An address that cannot be parsed.
#[derive(Debug, Error)]
#[error("the address of Redis")]
pub struct AddressError(#[source] RedisError);

/// A connection that is made when it is first used, and answers within that time.
pub(crate) fn connection(
    redis_url: &str,
    patience: Duration,
) -> Result<ConnectionManager, AddressError> {
    let client = Client::open(redis_url).map_err(AddressError)?;
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(patience))
        .set_connection_timeout(Some(patience))
        .set_max_delay(CONNECT_DELAY_MAX)
        .set_number_of_retries(1);
    ConnectionManager::new_lazy_with_config(client, config).map_err(AddressError)
}
