//! Webhooks: telling a receiver what happened, at least once, signed, and never inside our network.
//!
//! Pure decisions (signatures, retry plan, address policy) come first, then the one HTTP client that
//! may speak to an address a tenant chose, then the promises kept in PostgreSQL.

pub mod address;
pub mod client;
mod deliveries;
pub mod failure;
pub mod plan;
pub mod resolve;
pub mod retry_after;
pub mod secret;
pub mod sign;

pub use address::{Policy, check_url};
pub use client::{Attempt, BuildError, Client, Outcome, Settings};
pub use deliveries::{
    AttemptRow, Delivery, DeliveryState, NewDelivery, find, promise_in_tx, record_attempt_in_tx,
    set_state_in_tx,
};
