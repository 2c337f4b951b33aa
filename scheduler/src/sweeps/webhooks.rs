//! Forgets what is old of webhooks.

use common::config::RetentionConfig;
use common::db::{Error, PgPool};
use common::webhooks;

/// One round, as the configuration says.
pub async fn sweep(pool: &PgPool, retention: RetentionConfig) -> Result<(), Error> {
    let gone = webhooks::retain(pool, retention.body_days, retention.attempt_days).await?;
    if gone > 0 {
        tracing::info!(webhook.forgotten = gone, "Forgot old webhook events");
    }
    Ok(())
}
