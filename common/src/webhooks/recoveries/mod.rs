//! Recoveries: sending again what an endpoint failed to hear, was held for it, or happened before it
//! subscribed.
//!
//! ```text
//! running ──step by step──▶ done
//!    └──owner──▶ cancelled: what was queued and not yet sent goes back to what it was
//! ```
//!
//! A job does the work in steps; each step moves the cursor `reached` (an event's sequence) and queues
//! its deliveries in one transaction, so a step that runs twice queues once. Deliveries are spread over
//! time, so that a recovery takes [`RECOVERY_RATE_SHARE`] of the endpoint's rate; there is no limit to
//! how many.
//!
//! [`RECOVERY_RATE_SHARE`]: crate::limits::RECOVERY_RATE_SHARE

mod commands;
mod model;

pub use commands::{NewRecovery, cancel, find, run, start, start_in_tx};
pub use model::{CHANGED, Mode, Recovery, RecoveryState};
