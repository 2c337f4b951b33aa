//! What can happen to a quote, one file per verb.

mod create;

pub use create::{Issued, QuoteRequest, create};
