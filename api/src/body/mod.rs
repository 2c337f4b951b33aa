//! Request bodies, parsed as they arrive. No I/O and no async: bytes in, pieces out.

pub mod base64;
pub mod error;
pub mod event;
mod number;
pub mod path;
mod state;
mod text;
pub mod tokenizer;

pub use error::BodyError;
