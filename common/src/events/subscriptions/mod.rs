//! Durable subscriptions: the log for consumers that cannot be called, and whose position is kept here.
//!
//! ```text
//!   event_feed ──▶ window ──fetch──▶ consumer ──acknowledge──▶ deleted
//!                  ▲   │  └── due again ◀──┘ (its deadline passed, or it was released)
//!           replay │   ▼ after the last attempt
//!                 parked
//! ```
//!
//! - Each event that passes the filter is handed out at least once, until it is acknowledged. While its deadline runs,
//!   nobody else has it.
//! - A stream is with one consumer at a time, in its order. What is parked stands outside of that order.
//! - Each time that an event is handed out has a number of its own, the fence: whoever acknowledges with another one is
//!   late, and changes nothing.
//!
//! `tests/tests/events/subscriptions` proves each of these. Whoever changes a window holds the row of its subscription,
//! for one statement.

pub mod commands;
mod error;
mod model;
mod queries;

pub use error::SubscriptionError;
pub use model::{
    Acknowledgement, Batch, HandedOut, NewSubscription, ParkedEvent, Settled, Start, Subscription,
    SubscriptionName,
};
pub use queries::{find, list, list_most_behind, list_parked, observe};

/// The topic under which a subscription is announced when there may be something to hand out that is no new event.
pub const RELEASED: &str = "event-subscriptions";
