//! What is wrong with a dispute, for clients.

use common::disputes::DisputeError;
use common::purchases::PurchaseError;

use super::view::status_url;
use crate::error::{ApiError, Code, sentence};

impl From<DisputeError> for ApiError {
    fn from(error: DisputeError) -> Self {
        let text = sentence(&error);
        match error {
            DisputeError::NotFound => Self::new(Code::NotFound, "There is no such dispute."),
            DisputeError::WindowOver => {
                Self::new(Code::Conflict, text).field("reason", "DISPUTE_WINDOW_OVER")
            }
            DisputeError::DisputedBefore(id) => Self::new(Code::Conflict, text)
                .field("reason", "DISPUTED_BEFORE")
                .field("disputeId", id.to_string())
                .field("statusUrl", status_url(id)),
            DisputeError::NotSettled(state) => PurchaseError::NotSettled(state).into(),
            DisputeError::DecidedBefore(state) => Self::new(Code::Conflict, text)
                .field("reason", "DECIDED_BEFORE")
                .field("status", state.to_string()),
            DisputeError::Purchase(error) => error.into(),
            DisputeError::Database(error) => error.into(),
        }
    }
}
