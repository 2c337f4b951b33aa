//! Why an operator's decision was not carried out.

use thiserror::Error;

use crate::accounts::AccountError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum ModerationError {
    /// No such user or package.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// An operator cannot do this to itself.
    #[error("operators cannot block themselves")]
    Oneself,
    /// What cannot be, was: a defect of ours, which trying again does not mend.
    #[error("a defect: {0}")]
    Defect(String),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for ModerationError {
    fn from(error: sqlx::Error) -> Self {
        match crate::db::constraint_of(&error) {
            Some("operators_spare_themselves") => Self::Oneself,
            _ => Self::Database(error),
        }
    }
}

impl From<AccountError> for ModerationError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Database(error) => error.into(),
            // Ending sessions only asks the database: this is a defect.
            error => Self::Defect(error.to_string()),
        }
    }
}
