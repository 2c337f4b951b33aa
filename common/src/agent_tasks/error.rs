//! Why something about tasks did not happen.

use thiserror::Error;

use super::TaskState;
use crate::agents::Availability;
use crate::ledger::LedgerError;
use crate::limits::TASK_EVIDENCE_MAX;
use crate::purchases::PurchaseError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum TaskError {
    /// No such task, or the caller is on neither side.
    #[error("there is no such task")]
    NotFound,
    /// The paying agent is not the caller's.
    #[error("the caller has no agent of this id")]
    NoPayer,
    /// No such agent is on the market.
    #[error("there is no such agent")]
    NoProvider,
    /// Both agents have one owner.
    #[error("both agents have the same owner")]
    SameOwner,
    /// The agent does not offer that.
    #[error("the agent does not have this capability")]
    NoCapability,
    /// It asks another price now.
    #[error("the agent asks another price now")]
    PriceChanged { amount_minor: i64 },
    /// It takes no tasks.
    #[error("the agent takes no tasks now")]
    NotAvailable(Availability),
    /// It was asked for as many tasks as it does in an hour.
    #[error("the agent was asked for as many tasks as it does in an hour")]
    AtCapacity,
    /// The act belongs to the other side.
    #[error("only the {0} of the task may do that")]
    OtherParticipant(super::Participant),
    /// The act does not fit the state.
    #[error("the task is {0}, so this cannot be done")]
    WrongState(TaskState),
    /// The payer has rated it.
    #[error("the task was rated before")]
    RatedBefore,
    /// As much evidence as allowed is there.
    #[error("each participant gives at most {TASK_EVIDENCE_MAX} pieces of evidence")]
    TooMuchEvidence,
    /// The key came with another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyConflict,
    /// An operator blocked one of the two.
    #[error("an operator blocked one of the participants")]
    Blocked,
    /// Credits that are not there, a key that may not spend them, or an owner who owes.
    #[error(transparent)]
    Purchase(#[from] PurchaseError),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<LedgerError> for TaskError {
    fn from(error: LedgerError) -> Self {
        PurchaseError::from(error).into()
    }
}
