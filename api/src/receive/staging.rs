//! Writes blobs into staging, part by part, while they arrive.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use common::ids::UploadId;
use common::limits::PART_BYTES;
use common::storage::{Blob, Storage, StorageError, staging_key};
use common::uploads::BlobInfo;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::{Slot, Spool};

/// Where the bytes go.
#[derive(Debug, Clone)]
pub enum Target {
    /// Into the store.
    Store(Storage),
    /// Into files, for a verdict.
    Spool(Spool),
    /// Nowhere: a repeated request is only compared with the first.
    Nowhere,
}

/// The staged bytes of one request. Dropped before [`Staging::keep`], it takes them away again.
#[derive(Debug)]
pub struct Staging {
    upload: UploadId,
    target: Target,
    /// Held by each part that is under way, too.
    slot: Arc<Slot>,
    open: Option<OpenBlob>,
    /// Every part that was sent, or is being sent.
    keys: Vec<String>,
    sending: Option<JoinHandle<Result<(), StorageError>>>,
}

#[derive(Debug)]
struct OpenBlob {
    blob: Blob,
    /// The part that fills; it grows to one part exactly and never beyond.
    filling: Vec<u8>,
    /// Parts that are full and wait to be sent.
    full: VecDeque<Bytes>,
    digest: Sha256,
    size_bytes: u64,
    parts: u16,
}

impl Staging {
    /// Nothing staged yet.
    pub fn new(upload: UploadId, target: Target, slot: Arc<Slot>) -> Self {
        Self {
            upload,
            target,
            slot,
            open: None,
            keys: Vec::new(),
            sending: None,
        }
    }

    /// Begins a blob.
    pub fn start(&mut self, blob: Blob) {
        self.open = Some(OpenBlob {
            blob,
            filling: Vec::new(),
            full: VecDeque::new(),
            digest: Sha256::new(),
            size_bytes: 0,
            parts: 0,
        });
    }

    /// Takes bytes of the open blob; call [`Staging::send_full_parts`] after each chunk of the body.
    pub fn absorb(&mut self, bytes: &[u8]) {
        if let Some(open) = &mut self.open {
            open.digest.update(bytes);
            open.size_bytes += bytes.len() as u64;
            open.fill(bytes);
        }
    }

    /// Sends what has filled a part. At most one part is under way.
    pub async fn send_full_parts(&mut self) -> Result<(), StorageError> {
        while let Some(part) = self.open.as_mut().and_then(|open| open.full.pop_front()) {
            self.send(part).await?;
        }
        Ok(())
    }

    /// Ends the blob: the rest is sent, and everything has arrived.
    pub async fn finish(&mut self) -> Result<BlobInfo, StorageError> {
        self.send_full_parts().await?;
        let rest = self
            .open
            .as_mut()
            .map(|open| std::mem::take(&mut open.filling));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            self.send(Bytes::from(rest)).await?;
        }
        self.await_sending().await?;
        let open = self.open.take();
        Ok(open.map_or_else(
            || BlobInfo {
                size_bytes: 0,
                sha256: Vec::new(),
                parts: 0,
            },
            |open| BlobInfo {
                size_bytes: open.size_bytes,
                sha256: open.digest.finalize().to_vec(),
                parts: open.parts,
            },
        ))
    }

    /// Whether the bytes went into the store, and not nowhere.
    pub fn is_stored(&self) -> bool {
        matches!(self.target, Target::Store(_))
    }

    /// The upload is recorded: its bytes stay.
    pub fn keep(mut self) {
        self.keys.clear();
    }

    async fn send(&mut self, part: Bytes) -> Result<(), StorageError> {
        self.await_sending().await?;
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let key = staging_key(self.upload, open.blob, open.parts);
        open.parts += 1;
        match &self.target {
            Target::Store(storage) => {
                let (storage, slot) = (storage.clone(), Arc::clone(&self.slot));
                self.keys.push(key.clone());
                self.sending = Some(tokio::spawn(async move {
                    let _slot = slot;
                    let sha256 = Sha256::digest(&part);
                    storage.put(&key, part, &sha256).await
                }));
            }
            Target::Spool(spool) => {
                let (spool, blob) = (spool.clone(), open.blob);
                self.sending = Some(tokio::task::spawn_blocking(move || {
                    let written = spool.append(blob, &part);
                    written.map_err(|error| StorageError::Unavailable(error.to_string()))
                }));
            }
            Target::Nowhere => {}
        }
        Ok(())
    }

    async fn await_sending(&mut self) -> Result<(), StorageError> {
        match self.sending.take() {
            Some(sending) => sending
                .await
                .map_err(|error| StorageError::Unavailable(error.to_string()))?,
            None => Ok(()),
        }
    }
}

impl OpenBlob {
    /// Cuts bytes into parts.
    fn fill(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART_BYTES - self.filling.len()));
            self.make_room(now.len());
            self.filling.extend_from_slice(now);
            if self.filling.len() == PART_BYTES {
                self.full
                    .push_back(Bytes::from(std::mem::take(&mut self.filling)));
            }
            bytes = later;
        }
    }

    /// Doubles the buffer, but not beyond a part: a `Vec` left to itself would take up to two.
    fn make_room(&mut self, more: usize) {
        let wanted = self.filling.len() + more;
        if wanted > self.filling.capacity() {
            let capacity = wanted.max(2 * self.filling.capacity()).min(PART_BYTES);
            self.filling.reserve_exact(capacity - self.filling.len());
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let (keys, sending) = (std::mem::take(&mut self.keys), self.sending.take());
        let Target::Store(storage) = &self.target else {
            return;
        };
        if keys.is_empty() {
            return;
        }
        let storage = storage.clone();
        // What this misses (a crash, a store that is away) the sweep finds.
        tokio::spawn(async move {
            if let Some(sending) = sending {
                let _ = sending.await;
            }
            for key in keys {
                if let Err(error) = storage.delete(&key).await {
                    tracing::debug!(%error, "Left staged bytes to the sweep");
                }
            }
        });
    }
}
