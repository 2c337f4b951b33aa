//! Answers about the market that are the same for everybody, kept in this process: for a second without
//! looking, then as long as the epoch of the catalogue says that nothing has changed.
//!
//! Of those who ask the same at once in one process, one looks and the others wait for it. What is asked
//! once is not kept, and what is kept has a bound in bytes: when it is full, what is asked more often
//! stays. While Redis is away everything works, and costs more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::cache::Epochs;
use common::catalog::CATALOGUE;
use common::limits::{
    CATALOGUE_FRESH_BYTES_MAX, CATALOGUE_KEPT_BYTES_MAX, CATALOGUE_QUESTIONS_MAX,
};
use common::telemetry::metrics;
use moka::future::Cache as Memory;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::contract::Ready;
use crate::error::ApiError;
use crate::routes::Rendered;
use crate::state::ApiState;

/// So old may an answer be if both words of a change were lost.
const KEPT: Duration = Duration::from_secs(300);
/// So old may an answer be if the word of a change is late.
const FRESH: Duration = Duration::from_secs(1);

/// What is asked, whatever its length.
type Question = [u8; 16];

/// The cache of a process; clones share it.
#[derive(Debug, Clone)]
pub struct Cached {
    /// Under the changes that this process has heard of.
    fresh: Memory<(u64, Question), Arc<Rendered>>,
    /// Under those and the epoch: either word of a change makes an answer old.
    kept: Memory<(u64, i64, Question), Arc<Rendered>>,
    asked: Memory<Question, ()>,
    epochs: Epochs,
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

fn weight<K>(_: &K, answer: &Arc<Rendered>) -> u32 {
    answer.size_bytes().try_into().unwrap_or(u32::MAX)
}

impl Cached {
    /// A cache that drops what is older than the last of these changes.
    pub fn new(epochs: Epochs, changes: Receiver<String>) -> Self {
        let changes = Changes {
            receiver: changes,
            count: 0,
        };
        Self {
            fresh: Memory::builder()
                .weigher(weight)
                .max_capacity(CATALOGUE_FRESH_BYTES_MAX)
                .time_to_live(FRESH)
                .build(),
            kept: Memory::builder()
                .weigher(weight)
                .max_capacity(CATALOGUE_KEPT_BYTES_MAX)
                .time_to_live(KEPT)
                .build(),
            asked: Memory::builder()
                .max_capacity(CATALOGUE_QUESTIONS_MAX)
                .time_to_live(KEPT)
                .build(),
            epochs,
            changes: Arc::new(Mutex::new(changes)),
        }
    }

    /// The answer to what is asked, made by `make` if there is none. `asked` is canonical: whoever asks
    /// the same asks it in the same words.
    pub async fn answer<T, Made>(&self, asked: &str, make: Made) -> Result<Ready<T>, ApiError>
    where
        T: Serialize,
        Made: Future<Output = Result<Found<T>, ApiError>>,
    {
        let answer = match self.known(asked).await {
            Some(known) => known,
            None => self.made(asked, make).await?,
        };
        Ok(respond(answer))
    }

    /// The answer, if it is known already.
    pub async fn known(&self, asked: &str) -> Option<Arc<Rendered>> {
        if let Some(fresh) = self.fresh(asked).await {
            return Some(fresh);
        }
        let (changes, question) = (self.changes(), question(asked));
        let epoch = self.epochs.epoch(CATALOGUE).await?;
        let kept = self.kept.get(&(changes, epoch, question)).await?;
        count("kept");
        self.fresh
            .insert((changes, question), Arc::clone(&kept))
            .await;
        Some(kept)
    }

    /// The answer, if it was given within the last second.
    pub async fn fresh(&self, asked: &str) -> Option<Arc<Rendered>> {
        let fresh = self.fresh.get(&(self.changes(), question(asked))).await?;
        count("process");
        Some(fresh)
    }

    /// Makes the answer, or waits for whoever makes the same.
    pub async fn made<T, Made>(&self, asked: &str, make: Made) -> Result<Arc<Rendered>, ApiError>
    where
        T: Serialize,
        Made: Future<Output = Result<Found<T>, ApiError>>,
    {
        let (changes, question) = (self.changes(), question(asked));
        let made = async {
            // The epoch first and the data after it; see `common::cache`.
            let epoch = self.epochs.epoch(CATALOGUE).await;
            count("postgres");
            let answer = Arc::new(make.await?.render());
            if let Some(epoch) = epoch
                && self.is_asked_again(question).await
            {
                let kept = Arc::clone(&answer);
                self.kept.insert((changes, epoch, question), kept).await;
            }
            Ok(answer)
        };
        let entry = self.fresh.entry((changes, question));
        let entry = entry.or_try_insert_with(made).await;
        let entry = entry.map_err(|error: Arc<ApiError>| ApiError::clone(&error))?;
        Ok(entry.into_value())
    }

    async fn is_asked_again(&self, question: Question) -> bool {
        let is_known = self.asked.get(&question).await.is_some();
        if !is_known {
            self.asked.insert(question, ()).await;
        }
        is_known
    }

    fn changes(&self) -> u64 {
        self.changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count()
    }
}

fn question(asked: &str) -> Question {
    let digest = Sha256::digest(asked.as_bytes());
    std::array::from_fn(|at| digest[at])
}

fn count(place: &str) {
    metrics().catalogue_reads.with_label_values(&[place]).inc();
}

/// The answer for everybody.
pub fn respond<T>(answer: Arc<Rendered>) -> Ready<T> {
    Ready::new(Rendered::respond(answer, "public, no-cache"))
}

/// What was found, before it is written.
#[derive(Debug)]
pub struct Found<T> {
    pub data: T,
    /// The query of the next page.
    pub next: Option<String>,
    /// The version of a single thing.
    pub version: Option<i64>,
    /// Whether it is a list with nothing in it.
    pub is_empty: bool,
}

impl<T: Serialize> Found<T> {
    /// A list without pages.
    pub fn list(data: T) -> Self {
        Self {
            data,
            next: None,
            version: None,
            is_empty: false,
        }
    }

    fn render(&self) -> Rendered {
        Rendered::new(&json!(self.data), self.version, self.next.as_deref()).empty(self.is_empty)
    }
}

impl ApiState {
    /// See [`Cached::answer`].
    pub async fn cached<T, Made>(&self, asked: &str, make: Made) -> Result<Ready<T>, ApiError>
    where
        T: Serialize,
        Made: Future<Output = Result<Found<T>, ApiError>>,
    {
        self.catalogue.answer(asked, make).await
    }
}
