//! The service itself.

mod health;
mod jwks;
mod openapi;

pub use health::health;
pub use jwks::get_jwks;
pub use openapi::{get_openapi, get_openapi_3_1};
