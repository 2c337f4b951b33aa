//! What a scheduler says of itself on its operations port.

use common::http::Operations;
use common::outbox::Outbox;
use common::{db, jobs};

/// A scheduler is ready when it can read jobs and push.
#[derive(Debug)]
pub struct SchedulerOperations {
    pub outbox: Outbox,
}

impl Operations for SchedulerOperations {
    async fn unready(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match db::is_migrated(self.outbox.pool()).await {
            Ok(true) => {}
            Ok(false) => faults.push("the schema is older than this program".to_owned()),
            Err(error) => faults.push(format!("PostgreSQL: {error}")),
        }
        if let Err(error) = self.outbox.queue().ping().await {
            faults.push(format!("Redis: {error}"));
        }
        faults
    }

    async fn observe(&self) {
        db::observe_pool(self.outbox.pool());
        if let Err(error) = jobs::observe_queues(self.outbox.pool()).await {
            tracing::warn!(%error, "Could not count the queues");
        }
    }
}
