//! Quotes: a price and the digests of a package, promised to one buyer for ten minutes.
//!
//! What a quote says is its signed claims ([`crate::signatures::Quote`]); the row finds them by the
//! id alone. Whether it still holds, and whether it was used, is judged where it is spent: in
//! `purchases`.

pub mod commands;
mod error;
mod queries;

pub use error::QuoteError;
pub use queries::{Opened, open, prune};
