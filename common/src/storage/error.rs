//! What a caller can do about a failed call to the store.

use thiserror::Error;

/// Why a call to the store failed.
#[derive(Debug, Clone, Error)]
pub enum StorageError {
    /// There is no object under the key.
    #[error("no object under {0}")]
    NotFound(String),
    /// The bytes do not have the checksum or size they should have.
    #[error("the bytes under {0} are not those that were promised")]
    Mismatch(String),
    /// The store did not answer, or answered with a fault of its own.
    #[error("the object store failed: {0}")]
    Unavailable(String),
}
