//! Card payments: a client of Stripe's documented PaymentIntents API, and its webhooks' signature.
//!
//! A payment is an *intent* at the provider. Its life, as the provider tells it:
//!
//! ```text
//! requires_payment_method ──▶ requires_confirmation ──▶ requires_action ──▶ processing ──▶ succeeded
//!            ▲                                                  │               │
//!            └────────────────────── declined ──────────────────┴───────────────┘     (or canceled)
//! ```
//!
//! Guarantees that each answer, and each missing one, becomes exactly one of the decisions of
//! [`CardError`]: above all that what may have charged somebody is [`CardError::Unknown`], and never
//! looks like a failure. Sends nothing twice by itself, follows no redirect, and logs neither
//! secrets nor bodies. Stores nothing: who pays for what is the business of its callers.
//! `tests/tests/cards.rs` proves these claims against the sandbox of `local/src/cards/`.
//!
//! The protocol: <https://docs.stripe.com/api/payment_intents>, `/api/errors`,
//! `/api/idempotent_requests`.

mod answer;
mod client;
mod error;
mod model;
mod reversal;
pub mod webhook;

pub use client::{BuildError, Cards};
pub use error::{CardError, Doubt};
pub use model::{Decline, Intent, IntentStatus, NewIntent};
pub use reversal::{Reversal, ReversalKind, ReversalState};
