//! Payouts: a seller asks for earnings, an operator pays them outside and says so.
//!
//! ```text
//! requested ──▶ paid | returned
//! ```
//!
//! A seller draws what no refund and no dispute can take back any more (`limits::PAYOUT_MATURITY_SECONDS`,
//! `purchases::Earnings`). Payouts of one seller pass one by one, so together they never take more than
//! there is (`payouts_at_once_never_take_more_than_there_is`). Nothing here moves money outside the ledger.

pub mod commands;
mod error;
mod model;
mod queries;

pub use error::PayoutError;
pub use model::{Payout, PayoutFilter, PayoutState};
pub use queries::{find, list};
