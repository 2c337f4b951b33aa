//! Answers about the market that are the same for everybody, kept twice: in this process for a second,
//! in Redis for minutes. Both under the epoch of the catalogue, which each change raises.
//!
//! Of those who ask the same at once in one process, one looks and the others wait for it. While Redis
//! is away everything works, and costs more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use common::cache::Cache;
use common::catalog::CATALOGUE;
use common::telemetry::metrics;
use moka::future::Cache as Memory;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::error::ApiError;
use crate::routes::Rendered;
use crate::state::ApiState;

/// Lists are kept this long if nothing changes.
pub const LIST: Duration = Duration::from_secs(300);
/// Single packages.
pub const DETAILS: Duration = Duration::from_secs(900);
/// In this process: so old may an answer be if the word of a change was lost.
const IN_PROCESS: Duration = Duration::from_secs(1);
/// Answers that a process keeps; at some 10 KiB each, 40 MiB.
const ANSWERS_MAX: u64 = 4_000;

/// The cache of a process; clones share it.
#[derive(Debug, Clone)]
pub struct Cached {
    memory: Memory<String, Arc<Rendered>>,
    redis: Cache,
    changes: Arc<Mutex<Changes>>,
}

/// The changes that this process has heard of.
#[derive(Debug)]
struct Changes {
    receiver: Receiver<String>,
    count: u64,
}

impl Changes {
    fn count(&mut self) -> u64 {
        while !matches!(
            self.receiver.try_recv(),
            Err(TryRecvError::Empty | TryRecvError::Closed)
        ) {
            self.count += 1;
        }
        self.count
    }
}

impl Cached {
    /// A cache that drops what is older than the last of these changes.
    pub fn new(redis: Cache, changes: Receiver<String>) -> Self {
        let memory = Memory::builder()
            .max_capacity(ANSWERS_MAX)
            .time_to_live(IN_PROCESS)
            .build();
        let changes = Changes {
            receiver: changes,
            count: 0,
        };
        Self {
            memory,
            redis,
            changes: Arc::new(Mutex::new(changes)),
        }
    }

    /// The answer under that key, made by `make` if there is none.
    pub async fn answer<Made>(
        &self,
        key: &str,
        time_to_live: Duration,
        make: Made,
    ) -> Result<Response, ApiError>
    where
        Made: Future<Output = Result<Answer, ApiError>>,
    {
        let changes = self
            .changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count();
        let entry = self
            .memory
            .entry(format!("{changes}/{key}"))
            .or_try_insert_with(self.look(key, time_to_live, make))
            .await
            .map_err(|error: Arc<ApiError>| ApiError::clone(&error))?;
        let count = |place| metrics().catalogue_reads.with_label_values(&[place]).inc();
        if !entry.is_fresh() {
            count("process");
        }
        Ok(Rendered::respond(
            Arc::clone(entry.value()),
            "public, no-cache",
        ))
    }

    async fn look<Made>(
        &self,
        key: &str,
        time_to_live: Duration,
        make: Made,
    ) -> Result<Arc<Rendered>, ApiError>
    where
        Made: Future<Output = Result<Answer, ApiError>>,
    {
        let count = |place| metrics().catalogue_reads.with_label_values(&[place]).inc();
        // The epoch first and the data after it; see `common::cache`.
        let epoch = self.redis.epoch(CATALOGUE).await;
        let key = epoch.map(|epoch| {
            let digest = hex::encode(&Sha256::digest(key.as_bytes())[..16]);
            format!("catalogue:{epoch}:{digest}")
        });
        if let Some(key) = &key
            && let Some(text) = self.redis.get(key).await
            && let Ok(answer) = serde_json::from_str::<Answer>(&text)
        {
            count("redis");
            return Ok(Arc::new(answer.render()));
        }
        count("postgres");
        let answer = make.await?;
        if let Some(key) = &key {
            let text = serde_json::to_string(&answer).expect("answers have text keys");
            self.redis.put(key, &text, time_to_live).await;
        }
        Ok(Arc::new(answer.render()))
    }
}

/// An answer as it is kept.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    pub data: Value,
    /// The query of the next page.
    pub next: Option<String>,
    /// The version of a single thing.
    pub version: Option<i64>,
}

impl Answer {
    /// A list without pages.
    pub fn list(data: Value) -> Self {
        Self {
            data,
            next: None,
            version: None,
        }
    }

    fn render(&self) -> Rendered {
        Rendered::new(&self.data, self.version, self.next.as_deref())
    }
}

impl ApiState {
    /// See [`Cached::answer`].
    pub async fn cached<Made>(
        &self,
        key: &str,
        time_to_live: Duration,
        make: Made,
    ) -> Result<Response, ApiError>
    where
        Made: Future<Output = Result<Answer, ApiError>>,
    {
        self.catalogue.answer(key, time_to_live, make).await
    }
}
