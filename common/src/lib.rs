//! The `common` crate.
