//! The `common` crate.

pub mod queue;
