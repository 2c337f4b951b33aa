//! Errors of webhooks.

use common::webhooks::WebhookError;

use super::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence};

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        let text = sentence(&error);
        match error {
            WebhookError::NotFound => Self::new(Code::NotFound, text),
            WebhookError::Settings(faults) => {
                let first = faults
                    .first()
                    .map_or(text, |fault| format!("{}: {}.", fault.field, fault.message));
                faults
                    .iter()
                    .fold(Self::new(Code::InvalidInput, first), |error, fault| {
                        error.field(fault.field, fault.message.clone())
                    })
            }
            WebhookError::TooMany => Self::new(Code::Conflict, text).field("reason", "TOO_MANY"),
            WebhookError::TooManySecrets => {
                Self::new(Code::Conflict, text).field("reason", "TOO_MANY_SECRETS")
            }
            WebhookError::VersionChanged(current) => Self::version_changed(text, current),
            WebhookError::Disabled => Self::new(Code::Conflict, text).field("reason", "DISABLED"),
            WebhookError::Enabled => Self::new(Code::Conflict, text).field("reason", "ENABLED"),
            WebhookError::Expunged => Self::new(Code::Conflict, text).field("reason", "EXPUNGED"),
            WebhookError::Ended => Self::new(Code::Conflict, text).field("reason", "ENDED"),
            WebhookError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            WebhookError::Sealed(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "A sealed value does not open"
                );
                Self::new(Code::InternalError, "Something went wrong on our side.")
            }
            WebhookError::Database(error) => error.into(),
        }
    }
}
