//! Errors of subscriptions to the event log.

use common::events::subscriptions::SubscriptionError;

use super::{ApiError, Code, sentence};

impl From<SubscriptionError> for ApiError {
    fn from(error: SubscriptionError) -> Self {
        let text = sentence(&error);
        match error {
            SubscriptionError::NotFound => Self::new(Code::NotFound, text),
            SubscriptionError::Differs => {
                Self::new(Code::Conflict, text).field("reason", "DIFFERS")
            }
            SubscriptionError::TooMany => {
                Self::new(Code::Conflict, text).field("reason", "TOO_MANY")
            }
            SubscriptionError::Foreign => Self::new(Code::InvalidInput, text),
            SubscriptionError::Expired(earliest) => {
                Self::new(Code::CursorExpired, text).field("earliest", earliest.to_string())
            }
            SubscriptionError::Database(error) => error.into(),
        }
    }
}
