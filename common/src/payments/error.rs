//! Why something about a payment did not happen.

use thiserror::Error;

use crate::ledger::LedgerError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum PaymentError {
    /// No such payment, or it is not the caller's.
    #[error("no such payment")]
    NotFound,
    /// There is no card provider.
    #[error("payment by card is not available here")]
    CardsAreOff,
    /// The key came before with other content.
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyConflict,
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<LedgerError> for PaymentError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Database(error),
            // A top-up overdraws nothing, and its payment's state says whether it was posted.
            error => Self::Database(sqlx::Error::InvalidArgument(error.to_string())),
        }
    }
}
