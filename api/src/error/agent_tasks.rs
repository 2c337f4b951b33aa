//! Errors of tasks between agents.

use common::agent_tasks::TaskError;
use common::money::decimal_text;

use super::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence};

impl From<TaskError> for ApiError {
    fn from(error: TaskError) -> Self {
        let text = sentence(&error);
        let conflict = |reason: &str| Self::new(Code::Conflict, &text).field("reason", reason);
        match error {
            TaskError::NotFound | TaskError::NoProvider => Self::new(Code::NotFound, text),
            TaskError::NoPayer => Self::new(Code::InvalidInput, text)
                .field("payerAgentId", "must be an agent of yours"),
            TaskError::NoCapability => {
                let fault = "must be a capability of the agent";
                Self::new(Code::InvalidInput, text).field("capability", fault)
            }
            TaskError::SameOwner | TaskError::OtherParticipant(_) => {
                Self::new(Code::Forbidden, text)
            }
            TaskError::PriceChanged { amount_minor } => conflict("PRICE_CHANGED")
                .field("currentPrice", decimal_text(amount_minor))
                .field("currentPriceMinor", amount_minor.to_string()),
            TaskError::NotAvailable(availability) => {
                conflict("NOT_AVAILABLE").field("availability", availability.to_string())
            }
            TaskError::AtCapacity => conflict("AT_CAPACITY"),
            TaskError::WrongState(state) => conflict("WRONG_STATE").field("status", state.as_str()),
            TaskError::RatedBefore => conflict("RATED_BEFORE"),
            TaskError::TooMuchEvidence => conflict("TOO_MUCH_EVIDENCE"),
            TaskError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            TaskError::Blocked => conflict("BLOCKED"),
            TaskError::Purchase(error) => error.into(),
            TaskError::Database(error) => error.into(),
        }
    }
}
