//! The `package` crate.
