//! Why something about agents did not happen.

use thiserror::Error;

use crate::limits::AGENTS_MAX;
use crate::uploads::FieldFault;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum AgentError {
    /// No such agent, or it is not the caller's.
    #[error("there is no such agent")]
    NotFound,
    /// It has no card that was found to be sound.
    #[error("the agent has no verified card")]
    NoCard,
    /// Somebody has an agent of this id, or had one.
    #[error("the agent id is taken")]
    Taken,
    /// The owner has as many as allowed.
    #[error("an account has at most {AGENTS_MAX} agents")]
    TooMany,
    /// One or more fields are not valid.
    #[error("the fields of the agent are not valid")]
    Fields(Vec<FieldFault>),
    /// It was changed since.
    #[error("the agent has been changed since")]
    VersionChanged(i64),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
