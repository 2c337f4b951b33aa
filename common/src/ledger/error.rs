//! Why money did not move.

use thiserror::Error;

use crate::limits::ADJUSTMENT_REASON_CHARS_MAX;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// A buyer's credits, less what is held, do not cover it.
    #[error("not enough credits")]
    InsufficientCredits,
    /// The purpose has had its transfer.
    #[error("this was posted before")]
    PostedBefore,
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        match crate::db::constraint_of(&error) {
            Some("accounts_no_overdraft") => Self::InsufficientCredits,
            Some("transfers_once") => Self::PostedBefore,
            _ => Self::Database(error),
        }
    }
}

/// Why an operator's adjustment was not made.
#[derive(Debug, Error)]
pub enum AdjustmentError {
    /// There is no user of that id.
    #[error("no user has that id")]
    UserUnknown,
    /// Nothing would move.
    #[error("an adjustment moves more than zero")]
    AmountZero,
    /// It is empty or too long.
    #[error("a reason has 1 to {ADJUSTMENT_REASON_CHARS_MAX} characters")]
    Reason,
    /// The id was used for another user, amount or currency.
    #[error("this id was used for another adjustment")]
    IdUsed,
    /// The user has less than is to be taken.
    #[error("the user has not enough credits")]
    InsufficientCredits,
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
