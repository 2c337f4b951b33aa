//! Reads the two blobs of a package and has them judged: at its validation, and whenever a dispute
//! has it measured again.
//!
//! A hostile file costs its first part: the header is judged before the rest is fetched, and nothing is
//! read beyond the size that the row names. The verdict runs on a thread of its own that stops when this
//! run ends, for whatever reason. Memory is for the caller to reserve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::storage::Storage;
use futures::TryStreamExt as _;
use package::{Declared, HEADER_PREFIX_BYTES_MAX, Limits, Monitor, Report, Stage};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::JobError;

/// Where the bytes of a blob are, in one object or several, and what they must be.
#[derive(Debug, Clone)]
pub struct Source {
    pub keys: Vec<String>,
    pub size_bytes: u64,
    pub sha256: Vec<u8>,
}

/// What reading a blob came to.
#[derive(Debug)]
pub enum Fetched {
    /// All of it, with the right digest.
    Bytes(Vec<u8>),
    /// Its header is reason enough to refuse it.
    Refused(package::Refusal),
    /// These are other bytes than those that the row names.
    Differs,
}

/// Reads a blob from the store.
pub async fn fetch(storage: &Storage, source: &Source) -> Result<Fetched, JobError> {
    let limits = Limits::default();
    let size_max = usize::try_from(source.size_bytes).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let mut is_header_checked = false;
    let mut digest = Sha256::new();
    for key in &source.keys {
        let mut chunks = std::pin::pin!(storage.get(key).await?);
        while let Some(chunk) = chunks.try_next().await? {
            digest.update(&chunk);
            bytes.extend_from_slice(&chunk);
            if bytes.len() > size_max {
                return Ok(Fetched::Differs);
            }
            if !is_header_checked && bytes.len() >= HEADER_PREFIX_BYTES_MAX {
                if let Err(refusal) = package::check_header(&bytes, source.size_bytes, &limits) {
                    return Ok(Fetched::Refused(refusal));
                }
                is_header_checked = true;
                bytes.reserve_exact(size_max.saturating_sub(bytes.len()));
            }
        }
    }
    Ok(if digest.finalize()[..] == source.sha256[..] {
        Fetched::Bytes(bytes)
    } else {
        Fetched::Differs
    })
}

/// The bytes of both halves of a package.
#[derive(Debug)]
pub struct Halves {
    pub package: Vec<u8>,
    pub w_matrix: Vec<u8>,
}

/// A verdict that is being reached; dropped, it stops.
#[derive(Debug)]
pub struct Verification {
    judging: JoinHandle<Report>,
    stages: watch::Receiver<Stage>,
    _stop: StopOnDrop,
}

impl Verification {
    /// Begins, on a blocking thread.
    pub fn start(halves: Halves, declared: Declared) -> Self {
        let (stage, stages) = watch::channel(Stage::Container);
        let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
        let mut watcher = Watcher {
            stage,
            stop: Arc::clone(&stop.0),
        };
        let judging = tokio::task::spawn_blocking(move || {
            let Halves { package, w_matrix } = halves;
            let limits = Limits::default();
            package::verify(&package, &w_matrix, &declared, &limits, &mut watcher)
        });
        Self {
            judging,
            stages,
            _stop: stop,
        }
    }

    /// Waits for the verdict. Can be called again if it was cancelled.
    pub async fn report(&mut self) -> Result<Report, JobError> {
        (&mut self.judging).await.map_err(|error| JobError::Retry {
            outcome: "panic",
            reason: format!("the verdict broke off: {error}"),
            delay: None,
        })
    }

    /// The stage that it has reached since the last call, if it has moved on.
    pub fn next_stage(&mut self) -> Option<Stage> {
        let has_changed = self.stages.has_changed().unwrap_or(false);
        has_changed.then(|| *self.stages.borrow_and_update())
    }
}

/// Stops the blocking thread when the run ends early: by timeout, cancellation or shutdown.
#[derive(Debug)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Watcher {
    stage: watch::Sender<Stage>,
    stop: Arc<AtomicBool>,
}

impl Monitor for Watcher {
    fn stage(&mut self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
