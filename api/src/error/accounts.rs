//! Errors of accounts and keys.

use common::accounts::{AccountError, GitHubError};
use common::identity::IdentityError;
use common::limits::PASSWORD_BUSY_SECONDS;

use super::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence};
use crate::middleware::reached_limit;

impl ApiError {
    /// The key or the session was good when the request came, and is not any more.
    pub fn caller_ended() -> Self {
        Self::new(
            Code::Unauthorized,
            "The API key or access token is not valid any more.",
        )
    }
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        let text = sentence(&error);
        match error {
            IdentityError::NotFound => Self::new(Code::NotFound, "There is no such key."),
            IdentityError::UserUnknown => {
                Self::new(Code::NotFound, text.clone()).field("userId", text)
            }
            IdentityError::NameTaken => Self::new(Code::Conflict, text.clone()).field("user", text),
            IdentityError::Name => {
                Self::new(Code::InvalidInput, text).field("name", "must have 1 to 100 characters")
            }
            IdentityError::Permissions => Self::new(Code::InvalidInput, text)
                .field("permissions", "must name at least one permission"),
            IdentityError::Wider { dimension, .. } => Self::new(Code::Forbidden, text)
                .field("reason", "WIDER_KEY")
                .field("dimension", dimension.field()),
            IdentityError::CallerEnded => Self::caller_ended(),
            IdentityError::Limits { field, message } => {
                Self::new(Code::InvalidInput, text).field(&format!("limits.{field}"), message)
            }
            IdentityError::TooMany | IdentityError::Ended => Self::new(Code::Conflict, text),
            IdentityError::Unsealable => {
                tracing::error!(%error, "A sealed key does not open");
                Self::new(Code::InternalError, "An internal error occurred.")
            }
            IdentityError::Database(error) => error.into(),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let text = sentence(&error);
        match error {
            AccountError::Field { field, message } => {
                Self::new(Code::InvalidInput, format!("{field} {message}.")).field(field, message)
            }
            AccountError::Taken | AccountError::NoPassword | AccountError::Oneself => {
                Self::new(Code::Conflict, text)
            }
            AccountError::WrongCredentials | AccountError::RefreshRefused => {
                Self::new(Code::Unauthorized, text)
            }
            AccountError::TooManyGuesses(reached) => {
                let mut error = reached_limit(&reached.policy, reached.wait);
                error.message = text;
                error
            }
            AccountError::Busy(_) => {
                let mut error = Self::new(Code::ServiceUnavailable, text);
                error.retry_after_seconds = Some(PASSWORD_BUSY_SECONDS);
                error
            }
            AccountError::AttemptUnknown => Self::new(Code::InvalidInput, text).field(
                "state",
                "must be the one that this browser was sent away with",
            ),
            AccountError::NotFound(what) => {
                Self::new(Code::NotFound, format!("There is no such {what}."))
            }
            AccountError::VersionChanged { current } => Self::version_changed(text, current),
            AccountError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            AccountError::Identity(error) => error.into(),
            AccountError::Hashing(_) => {
                tracing::error!(%error, "Password hashing failed");
                Self::new(Code::InternalError, "An internal error occurred.")
            }
            AccountError::Database(error) => error.into(),
        }
    }
}

impl From<GitHubError> for ApiError {
    fn from(error: GitHubError) -> Self {
        tracing::warn!(%error, "A sign-in through GitHub failed");
        match error {
            GitHubError::Refused(_) => Self::new(
                Code::Unauthorized,
                "GitHub did not accept the sign-in. Begin again.",
            ),
            GitHubError::Away(_) => Self::new(
                Code::ServiceUnavailable,
                "GitHub does not answer. Please try again.",
            ),
        }
    }
}
