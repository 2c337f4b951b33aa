//! Why something about a payout did not happen.

use thiserror::Error;

use super::PayoutState;
use crate::ledger::LedgerError;
use crate::purchases::Earnings;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum PayoutError {
    /// No such payout, or it is another seller's.
    #[error("no such payout")]
    NotFound,
    /// More than the seller can draw now.
    #[error("this is more than can be paid out now")]
    NotEnough(Earnings),
    /// The key came before with other content.
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyConflict,
    /// An operator blocked the seller: payouts wait until that is undone.
    #[error("the seller is blocked; the payout waits until the block is undone")]
    Held,
    /// It ended otherwise.
    #[error("the payout is {0} already")]
    EndedBefore(PayoutState),
    /// What cannot be, was: a defect of ours, which trying again does not mend.
    #[error("a defect: {0}")]
    Defect(String),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for PayoutError {
    fn from(error: sqlx::Error) -> Self {
        match crate::db::constraint_of(&error) {
            Some("parties_not_blocked") => Self::Held,
            _ => Self::Database(error),
        }
    }
}

impl From<LedgerError> for PayoutError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Database(error),
            // No payout touches credits, and its row's state is checked first: this is a defect.
            error => Self::Defect(error.to_string()),
        }
    }
}
