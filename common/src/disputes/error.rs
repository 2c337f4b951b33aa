//! Why something about a dispute did not happen.

use thiserror::Error;

use super::DisputeState;
use crate::ids::DisputeId;
use crate::purchases::{PurchaseError, PurchaseState};

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum DisputeError {
    /// No such dispute, or the caller is no party to it.
    #[error("no such dispute")]
    NotFound,
    /// It is too late to dispute the purchase.
    #[error("a purchase can be disputed within 30 days of its settlement")]
    WindowOver,
    /// There was one about this purchase.
    #[error("this purchase was disputed before, by dispute {0}")]
    DisputedBefore(DisputeId),
    /// It was never settled, or was refunded.
    #[error("the purchase is {0}, not settled")]
    NotSettled(PurchaseState),
    /// It was decided otherwise.
    #[error("the dispute is {0}; its decision stands")]
    DecidedBefore(DisputeState),
    /// The purchase refuses.
    #[error(transparent)]
    Purchase(#[from] PurchaseError),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
