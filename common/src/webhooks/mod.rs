//! stub
mod deliveries;
pub use deliveries::*;
