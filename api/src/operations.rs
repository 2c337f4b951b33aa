//! What the API says of itself on its operations port.

use common::db;
use common::http::Operations;

use crate::state::ApiState;

/// The API is ready when it can write: Redis may be away, PostgreSQL and the store may not.
#[derive(Debug)]
pub struct ApiOperations {
    pub state: ApiState,
}

impl Operations for ApiOperations {
    async fn unready(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.state.stopping.is_cancelled() {
            faults.push("stopping".to_owned());
        }
        match db::is_migrated(self.state.pool()).await {
            Ok(true) => {}
            Ok(false) => faults.push("the schema is older than this program".to_owned()),
            Err(error) => faults.push(format!("PostgreSQL: {error}")),
        }
        if let Err(error) = self.state.storage.ping().await {
            faults.push(error.to_string());
        }
        faults
    }

    async fn observe(&self) {
        db::observe_pool(self.state.pool());
    }
}
