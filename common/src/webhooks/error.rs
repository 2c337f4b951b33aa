//! Why something about endpoints, events and deliveries did not happen.

use thiserror::Error;

use super::endpoints::Fault;
use crate::identity::IdentityError;
use crate::limits::{ENDPOINTS_MAX, LIVE_SECRETS_MAX};

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// No such thing, or it is not the caller's.
    #[error("there is no such webhook endpoint, event or delivery")]
    NotFound,
    /// One or more settings are not valid.
    #[error("the settings of the endpoint are not valid")]
    Settings(Vec<Fault>),
    /// The owner has as many as allowed.
    #[error("an account has at most {ENDPOINTS_MAX} webhook endpoints")]
    TooMany,
    /// As many secrets live as allowed.
    #[error("an endpoint has at most {LIVE_SECRETS_MAX} live secrets; wait until one expires")]
    TooManySecrets,
    /// It was changed since.
    #[error("the endpoint has been changed since")]
    VersionChanged(i64),
    /// Nothing is sent to a disabled endpoint.
    #[error("the endpoint is disabled; enable it first")]
    Disabled,
    /// It is enabled already.
    #[error("the endpoint is enabled")]
    Enabled,
    /// The bytes of the event are gone.
    #[error("the payload of this event is no longer stored")]
    Expunged,
    /// A recovery that has ended cannot be cancelled.
    #[error("the recovery has ended")]
    Ended,
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
    /// A secret or header does not open.
    #[error("a sealed value of the endpoint does not open")]
    Sealed(#[source] IdentityError),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<IdentityError> for WebhookError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Database(error) => Self::Database(error),
            error => Self::Sealed(error),
        }
    }
}
