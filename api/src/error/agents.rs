//! Errors of agents.

use common::agents::AgentError;

use super::{ApiError, Code, sentence};

impl From<AgentError> for ApiError {
    fn from(error: AgentError) -> Self {
        let text = sentence(&error);
        match error {
            AgentError::NotFound | AgentError::NoCard => Self::new(Code::NotFound, text),
            AgentError::Taken => Self::new(Code::Conflict, text).field("reason", "TAKEN"),
            AgentError::TooMany => Self::new(Code::Conflict, text).field("reason", "TOO_MANY"),
            AgentError::Fields(faults) => Self::fields(&faults),
            AgentError::VersionChanged(current) => Self::version_changed(text, current),
            AgentError::Database(error) => error.into(),
        }
    }
}
