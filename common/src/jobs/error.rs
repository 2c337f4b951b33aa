//! What can go wrong when an operator touches a job.

use thiserror::Error;

/// Why a command on jobs did not happen.
#[derive(Debug, Error)]
pub enum JobsError {
    /// No such job or payload.
    #[error("no such job")]
    NotFound,
    /// The job's state does not allow it.
    #[error("the job is {0}, so this cannot be done")]
    WrongState(String),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
