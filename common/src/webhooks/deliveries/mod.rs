//! The log: what was promised to whom, each attempt to keep it, and what an owner may do about it.

mod commands;
mod events;
mod queries;

pub use commands::{expunge, expunge_all, resend};
pub use events::{EventFilter, EventRow, find_event, list_events};
pub use queries::{
    AttemptRow, DeliveryFilter, DeliveryRow, find_delivery, list_attempts, list_deliveries,
};

/// The topic on which the ends of deliveries are announced that somebody may wait for: those sent by
/// hand, and trials.
pub const CHANGED: &str = "webhook_delivery";
