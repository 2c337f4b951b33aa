//! What changes endpoints.

mod disable;
mod news;

pub use disable::{DisabledBy, disable_by_worker, disable_in_tx};
pub use news::{tell_failing, tell_recovered};
