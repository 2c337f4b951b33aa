//! Chargebacks: money of a payment that its card gets back, by a dispute of the cardholder or a refund at the
//! provider.
//!
//! ```text
//! notice ──▶ the payment's job lists what the provider has ──▶ inquiry ──▶ open ──▶ won | lost
//! ```
//!
//! While one is open, its amount is set aside: from the buyer's credits as far as there are any; the rest the
//! buyer owes. Who owes buys nothing and downloads nothing that was paid for; what comes in pays the debt first.
//! Sellers keep what they earned: the platform bears what nobody pays
//! (`docs/decisions/0015-chargebacks.md`). The ledger has one transfer for each step, so a notice that comes
//! twice moves nothing twice.

pub mod commands;
mod model;
mod queries;

pub use model::{Chargeback, ChargebackError, ChargebackFilter};
pub use queries::{concerns, list, owed, unsent};
