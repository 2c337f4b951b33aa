//! Lists of agents, kept for a second: of those who ask the same at once in one process, one looks and the others
//! wait for it.

use std::sync::Arc;

use common::limits::{AGENT_LIST_FRESH, AGENT_LISTS_BYTES_MAX};
use moka::future::Cache;
use serde::Serialize;
use serde_json::json;

use crate::contract::Ready;
use crate::error::ApiError;
use crate::routes::Rendered;

/// The lists of a process; clones share them.
#[derive(Debug, Clone)]
pub struct RecentLists(Cache<String, Arc<Rendered>>);

impl Default for RecentLists {
    fn default() -> Self {
        let weight = |asked: &String, answer: &Arc<Rendered>| {
            let bytes = asked.len() + answer.size_bytes();
            bytes.try_into().unwrap_or(u32::MAX)
        };
        let cache = Cache::builder()
            .weigher(weight)
            .max_capacity(AGENT_LISTS_BYTES_MAX)
            .time_to_live(AGENT_LIST_FRESH);
        Self(cache.build())
    }
}

impl RecentLists {
    /// The answer to what is asked, made by `make` if there is none of this second.
    pub async fn answer<T, Made>(&self, asked: String, make: Made) -> Result<Ready<T>, ApiError>
    where
        T: Serialize,
        Made: Future<Output = Result<T, ApiError>>,
    {
        let made = async {
            let data = make.await?;
            Ok(Arc::new(Rendered::new(&json!(data), None, None)))
        };
        let answer = self.0.try_get_with(asked, made).await;
        let answer = answer.map_err(|error: Arc<ApiError>| ApiError::clone(&error))?;
        Ok(Ready::new(Rendered::respond(answer, "public, no-cache")))
    }
}
