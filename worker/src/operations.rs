//! What a worker says of itself on its operations port.

use std::sync::Arc;

use common::http::Operations;
use common::limits::WEBHOOK_STALL_SECONDS;
use common::{db, jobs, webhooks};

use crate::Context;
use crate::heartbeat::Served;

/// A worker is ready when it can lease, read bytes and hear wake-up calls.
#[derive(Debug)]
pub struct WorkerOperations {
    pub context: Arc<Context>,
    pub served: Arc<Vec<Served>>,
}

impl Operations for WorkerOperations {
    async fn unready(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match db::is_migrated(self.context.pool()).await {
            Ok(true) => {}
            Ok(false) => faults.push("the schema is older than this program".to_owned()),
            Err(error) => faults.push(format!("PostgreSQL: {error}")),
        }
        if let Err(error) = self.context.storage.ping().await {
            faults.push(error.to_string());
        }
        if self.served.iter().any(|lane| lane.queue == "webhook") {
            match webhooks::oldest_due_seconds(self.context.pool()).await {
                Ok(seconds) if seconds > WEBHOOK_STALL_SECONDS => {
                    faults.push(format!(
                        "webhooks stall: one has been due for {seconds:.0} s"
                    ));
                }
                Ok(_) => {}
                Err(error) => faults.push(format!("PostgreSQL: {error}")),
            }
        }
        let deaf = self.served.iter().filter(|lane| !lane.serving.is_healthy());
        faults.extend(deaf.map(|lane| format!("queue {}: Redis does not hear us", lane.queue)));
        faults
    }

    async fn observe(&self) {
        db::observe_pool(self.context.pool());
        if let Err(error) = jobs::observe_queues(self.context.pool()).await {
            tracing::warn!(%error, "Could not count the queues");
        }
    }
}
