//! The service itself.

mod health;

pub use health::health;
