//! Request bodies, parsed as they arrive. No I/O and no async: bytes in, pieces out.

pub mod base64;
pub mod error;

pub use error::BodyError;
