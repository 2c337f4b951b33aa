//! Payments by card: each becomes credits of its payer, once, or comes to nothing.
//!
//! ```text
//! created ──▶ processing, requires_action, requires_payment_method, unknown ──▶ succeeded
//!                               (any of them, any order)                  └───▶ failed, canceled
//! ```
//!
//! A payment's id is the idempotency key at the provider, and the subject of its one top-up in the
//! ledger: however often its job runs and its notices come, it charges once and credits once
//! (`tests/tests/market/payments.rs`). What the provider says is judged by the pure rules of
//! `verdict`; what nobody can say yet is `unknown`, and is asked again until somebody can. A notice
//! of the provider only wakes the job: what counts is what is then retrieved.
//!
//! A payment that is called off is cancelled at the provider. Money that arrives for it all the same is
//! credited like any other.
//!
//! It knows no purchases but their id; what a payment means to one is in `purchases`.

pub mod commands;
mod error;
mod model;
mod provider;
mod queries;
mod verdict;

pub use error::PaymentError;
pub use model::{
    NewPayment, Payment, PaymentFilter, PaymentState, PaymentSummary, Purpose, TopUpRequest,
};
pub use provider::consult;
pub use queries::{
    count_of_purchase, find, find_of_purchase, find_top_up, list, list_top_ups, lock_in_tx,
    lock_of_purchase_in_tx, summary,
};
pub use verdict::{Answer, Reason, Verdict};

/// The topic under which changes of payments are announced; the id is the public one.
pub const CHANGED: &str = "payment";

/// Under which name the provider keeps our id of a payment.
const METADATA_PAYMENT_ID: &str = "payment_id";
