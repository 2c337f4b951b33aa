//! Why something about an upload did not happen.

use thiserror::Error;

use super::FieldFault;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum UploadError {
    /// Fields that do not fit; every one of them is named.
    #[error("the upload has {} faulty field(s)", .0.len())]
    Fields(Vec<FieldFault>),
    /// No such upload, or it is not the caller's.
    #[error("no such upload")]
    NotFound,
    /// The package that it is a version of is not there, or not the caller's.
    #[error("no such package of yours")]
    LineNotFound,
    /// A later version must be later.
    #[error("version {0} is there already; a new one must be higher")]
    VersionNotHigher(String),
    /// The key came before with other content.
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyConflict,
    /// The key or the session that uploads was revoked, or its time is over, while the bytes came in.
    #[error("the API key or access token is not valid any more")]
    CallerEnded,
    /// The session's bytes are not in the store yet.
    #[error("the bytes of {0} have not been uploaded")]
    BytesMissing(&'static str),
    /// The session's bytes are not those that were declared.
    #[error("the bytes of {0} have a different size or digest than declared")]
    BytesDiffer(&'static str),
    /// The session is over.
    #[error("the upload session is {0}")]
    WrongState(String),
    /// The store did not answer.
    #[error("the object store failed")]
    Storage(#[from] crate::storage::StorageError),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
