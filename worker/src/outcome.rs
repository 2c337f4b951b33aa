//! How a run ends: done, or one of a closed list of other ends.

use std::time::Duration;

use common::agent_tasks::TaskError;
use common::cards::CardError;
use common::chargebacks::ChargebackError;
use common::db;
use common::disputes::DisputeError;
use common::identity::IdentityError;
use common::jobs::LeaseLost;
use common::purchases::PurchaseError;
use common::storage::StorageError;
use common::webhooks::DrainError;

/// A run that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobError {
    /// Another worker has the job, or it has ended; nothing of this run took effect.
    Superseded,
    /// A failed attempt. Runs again after the delay (or the usual backoff), a bounded number of times.
    Retry {
        outcome: &'static str,
        reason: String,
        delay: Option<Duration>,
    },
    /// A fault of ours: PostgreSQL, Redis, S3 or a name server is away. Runs again; burns no attempt.
    Snooze { reason: String },
    /// Ends for good, with a reason that the client sees.
    Cancel { reason: String },
}

impl JobError {
    /// A failed attempt with the usual backoff.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            outcome: "retry",
            reason: reason.into(),
            delay: None,
        }
    }

    /// The label of metrics and history.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Retry { outcome, .. } => outcome,
            Self::Snooze { .. } => "snooze",
            Self::Cancel { .. } => "cancel",
        }
    }
}

impl From<LeaseLost> for JobError {
    fn from(_: LeaseLost) -> Self {
        Self::Superseded
    }
}

impl From<db::Error> for JobError {
    fn from(error: db::Error) -> Self {
        if db::is_ours_to_fix(&error) {
            Self::Snooze {
                reason: format!("PostgreSQL: {error}"),
            }
        } else {
            Self::retry(format!("PostgreSQL: {error}"))
        }
    }
}

impl From<StorageError> for JobError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) => Self::Snooze {
                reason: error.to_string(),
            },
            StorageError::NotFound(_) | StorageError::Mismatch(_) => Self::retry(error.to_string()),
        }
    }
}

impl From<PurchaseError> for JobError {
    fn from(error: PurchaseError) -> Self {
        match error {
            PurchaseError::Database(error) => error.into(),
            error => Self::retry(error.to_string()),
        }
    }
}

impl From<CardError> for JobError {
    fn from(error: CardError) -> Self {
        match error {
            CardError::Unknown(_) | CardError::NotSent(_) | CardError::RateLimited { .. } => {
                Self::Snooze {
                    reason: format!("the card provider: {error}"),
                }
            }
            error => Self::retry(error.to_string()),
        }
    }
}

impl From<ChargebackError> for JobError {
    fn from(error: ChargebackError) -> Self {
        match error {
            ChargebackError::Database(error) => error.into(),
            error => Self::retry(error.to_string()),
        }
    }
}

impl From<IdentityError> for JobError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Database(error) => error.into(),
            error => Self::retry(error.to_string()),
        }
    }
}

impl From<DrainError> for JobError {
    fn from(error: DrainError) -> Self {
        match error {
            DrainError::Superseded => Self::Superseded,
            DrainError::Database(error) => error.into(),
            error => Self::retry(error.to_string()),
        }
    }
}

impl From<TaskError> for JobError {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Database(error) => error.into(),
            error => Self::retry(error.to_string()),
        }
    }
}

impl From<DisputeError> for JobError {
    fn from(error: DisputeError) -> Self {
        match error {
            DisputeError::Database(error)
            | DisputeError::Purchase(PurchaseError::Database(error)) => error.into(),
            error => Self::retry(error.to_string()),
        }
    }
}
