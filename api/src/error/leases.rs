//! Errors of leases.

use common::leases::{Busy, LeaseError, Loss};
use common::telemetry::metrics;

use super::{ApiError, Code, sentence};

impl From<LeaseError> for ApiError {
    fn from(error: LeaseError) -> Self {
        let text = sentence(&error);
        match error {
            LeaseError::NotHeld => Self::new(Code::NotFound, text),
            LeaseError::Busy(busy) => Self::lease_busy(text, &busy),
            LeaseError::TooMany => Self::new(Code::Conflict, text).field("reason", "TOO_MANY"),
            LeaseError::TooManyWaiters => {
                Self::new(Code::Conflict, text).field("reason", "TOO_MANY_WAITERS")
            }
            LeaseError::Lost(loss) => Self::lease_lost(loss),
            LeaseError::Database(error) => error.into(),
        }
    }
}

impl ApiError {
    fn lease_busy(text: String, busy: &Busy) -> Self {
        let mut error = Self::new(Code::Conflict, text).field("reason", "BUSY");
        let details = &mut error.details;
        details.insert("owner".to_owned(), busy.holder.clone().into());
        details.insert("remainingMs".to_owned(), busy.remaining_ms.into());
        details.insert("waitersBefore".to_owned(), busy.waiters_before.into());
        error
    }

    /// The request was to be made under a lease that is the caller's no more.
    pub fn lease_lost(loss: Loss) -> Self {
        let (found, reason) = match loss {
            Loss::Expired => ("request", "EXPIRED"),
            Loss::Unknown => ("request", "UNKNOWN"),
            Loss::OtherResource => ("request", "OTHER_RESOURCE"),
            Loss::UnderWay => ("transaction", "UNDER_WAY"),
        };
        metrics().leases.lost.with_label_values(&[found]).inc();
        let text = sentence(&LeaseError::Lost(loss));
        Self::new(Code::LeaseLost, text).field("reason", reason)
    }
}
