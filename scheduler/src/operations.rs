//! What a scheduler says of itself on its operations port.

use common::http::Operations;
use common::outbox::Outbox;
use common::telemetry::metrics;
use common::{db, jobs, leases, ledger};

/// Deltas of the ledger beyond these are not counted: the alert has long fired.
const DELTAS_COUNTED_MAX: i64 = 1_000_000;

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
        if let Err(error) = leases::observe(self.outbox.pool()).await {
            tracing::warn!(%error, "Could not count the leases");
        }
        match ledger::count_deltas(self.outbox.pool(), DELTAS_COUNTED_MAX).await {
            Ok(deltas) => metrics().ledger_deltas.set(deltas as f64),
            Err(error) => tracing::warn!(%error, "Could not count the deltas of the ledger"),
        }
    }
}
