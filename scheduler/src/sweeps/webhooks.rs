//! Looks after webhooks: rings what nobody rang, counts what waits, forgets what is old.

use std::time::{Duration, Instant};

use common::config::RetentionConfig;
use common::db::Error;
use common::outbox::Outbox;
use common::webhooks;

/// Between two rounds that forget.
const RETAIN: Duration = Duration::from_secs(600);

/// Remembers when it last forgot.
#[derive(Debug)]
pub struct WebhookSweep {
    retention: RetentionConfig,
    retained: Option<Instant>,
}

impl WebhookSweep {
    /// Keeps what the configuration says.
    pub fn new(retention: RetentionConfig) -> Self {
        Self {
            retention,
            retained: None,
        }
    }

    /// One slow round.
    pub async fn round(&mut self, outbox: &Outbox) -> Result<(), Error> {
        webhooks::observe_backlog(outbox.pool()).await?;
        if self.retained.is_none_or(|last| last.elapsed() >= RETAIN) {
            let (bodies, attempts) = (self.retention.body_days, self.retention.attempt_days);
            let gone = webhooks::retain(outbox.pool(), bodies, attempts).await?;
            if gone > 0 {
                tracing::info!(webhook.forgotten = gone, "Forgot old webhook events");
            }
            self.retained = Some(Instant::now());
        }
        Ok(())
    }
}
