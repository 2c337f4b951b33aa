//! The `tests` crate.

pub mod redis;
