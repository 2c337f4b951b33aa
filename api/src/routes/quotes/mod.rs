//! Quotes: asked for here, spent in a purchase.

mod create;

pub use create::create_quote;
