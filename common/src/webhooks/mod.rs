//! Webhooks: telling receivers what happened, at least once, signed, and never inside our network.
//!
//! What may be decided without I/O comes first (filters, signatures, plans, health, verdicts, the
//! address policy), then the one HTTP client that may speak to an address a tenant chose, then the
//! rows: endpoints, events, deliveries; then dispatch, which brings them together.

pub mod address;
mod announce;
mod answer;
pub mod catalogue;
pub mod client;
pub mod deliveries;
pub mod directive;
mod dispatch;
pub mod endpoints;
mod envelope;
mod error;
pub mod failure;
pub mod health;
pub mod plan;
mod rate;
pub mod recoveries;
pub mod resolve;
pub mod retry_after;
pub mod secret;
pub mod sign;
mod state;
mod timing;
mod upkeep;
pub mod verdict;

pub use address::{Policy, check_url};
pub use announce::{Address, NewEvent, announce_in_tx};
pub use answer::{RESPONSE_EXCERPT_BYTES_MAX, RESPONSE_READ_BYTES_MAX};
pub use catalogue::EventType;
pub use client::{Attempt, BuildError, Client, Message, Missed, Outcome, Settings};
pub use dispatch::{Deliverer, DrainError};
pub use envelope::{PayloadMode, StoredEvent, render};
pub use error::WebhookError;
pub use state::{DeliveryState, Trigger};
pub use timing::Timings;
pub use upkeep::{Backlog, observe_backlog, oldest_due_seconds, reconcile, retain};
