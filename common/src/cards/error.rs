//! What can become of a request to the card provider, one variant per decision of the caller.

use std::time::Duration;

use thiserror::Error;

use super::model::{Decline, Intent};

/// Why there is no good answer, and so what to do now.
#[derive(Debug, Error)]
pub enum CardError {
    /// The bank said no. Nothing was charged; another card may do.
    #[error("the card was declined: {decline}")]
    Declined {
        intent: Option<Box<Intent>>,
        decline: Decline,
    },
    /// The provider knows no such payment method. Nothing was charged; another one may do.
    #[error("the card provider does not know the payment method")]
    MethodUnknown,
    /// The request is wrong, or our account is. Nothing was charged; the same again fails again.
    /// 400 also for what could not even be written down.
    #[error("the card provider refused the request with {status}: {message}")]
    Refused {
        status: u16,
        code: Option<String>,
        message: String,
    },
    /// No connection came about, so nothing was charged; the same again is safe.
    #[error("no connection to the card provider")]
    NotSent(#[source] reqwest::Error),
    /// It may have happened. Repeat with the same idempotency key, or retrieve; never assume. The
    /// provider remembers a key for 24 hours at least; after that a repetition may charge anew.
    #[error("it is not known what the card provider did")]
    Unknown(#[source] Doubt),
    /// Too many requests of ours; nothing was charged. The same again later is safe.
    #[error("the card provider asks for fewer requests")]
    RateLimited { retry_after: Option<Duration> },
    /// The idempotency key was used before for something else. This request did nothing.
    #[error("the idempotency key belongs to another request")]
    IdempotencyConflict,
}

/// Why the outcome of a request is not known.
#[derive(Debug, Error)]
pub enum Doubt {
    /// The provider took the request, perhaps, and gave no whole answer in time.
    #[error("no answer came in time")]
    Timeout,
    /// The connection ended before the answer did.
    #[error("the connection was lost")]
    Lost(#[source] reqwest::Error),
    /// A status that says nothing about what was done: a fault of the provider, or a redirect.
    #[error("the answer was {0}")]
    Status(u16),
    /// The same idempotency key is at work in another request.
    #[error("the same request is under way")]
    UnderWay,
    /// An answer that is not what the API documents, or larger than it can be.
    #[error("the answer with status {0} cannot be read")]
    Unreadable(u16),
}

impl CardError {
    /// A closed set for metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Declined { .. } => "declined",
            Self::MethodUnknown => "method_unknown",
            Self::Refused { .. } => "refused",
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
            Self::RateLimited { .. } => "rate_limited",
            Self::IdempotencyConflict => "idempotency_conflict",
        }
    }
}
