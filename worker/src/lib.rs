//! The `worker` crate.
