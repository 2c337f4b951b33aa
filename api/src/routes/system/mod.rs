//! The service itself.

mod health;
mod jwks;

pub use health::health;
pub use jwks::get_jwks;
