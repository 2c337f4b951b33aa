//! Object storage over the S3 protocol.
//!
//! Keys are short, flat and never rewritten with other bytes: `staging/<upload>.<blob>.<part>` while
//! an upload is judged, `packages/<sha256>` for ever after. Every write carries its checksum, so the
//! store itself refuses bytes that changed on the way.

mod client;
mod error;
mod key;
mod presigned;
mod s3;

pub use error::StorageError;
pub use key::{Blob, PACKAGES_PREFIX, STAGING_PREFIX, content_key, staging_key, staging_owner};
pub use presigned::{PresignedPut, PresignedUrl};
pub use s3::{Listed, Storage};
