//! Why money did not move.

use thiserror::Error;

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
