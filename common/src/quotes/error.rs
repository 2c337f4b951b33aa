//! Why there is no quote.

use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

use crate::limits::QUOTES_LIVE_MAX;
use crate::signatures::SignatureError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum QuoteError {
    /// No such package of that type, or it was removed.
    #[error("no such package")]
    PackageNotFound,
    /// The seller has paused it.
    #[error("this package is not for sale at the moment")]
    NotForSale,
    /// The caller sells it.
    #[error("a seller cannot buy their own package")]
    OwnPackage,
    /// All licenses are taken.
    #[error("this package is sold out")]
    SoldOut,
    /// All licenses that are left are kept for others who are paying.
    #[error("this package is reserved until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    Reserved { until: DateTime<Utc> },
    /// The buyer holds as many as one may.
    #[error("an account has {QUOTES_LIVE_MAX} quotes at a time; use some, or let them run out")]
    TooMany,
    /// The listing asks another price than the caller expects.
    #[error("the price has changed")]
    PriceChanged {
        expected_minor: i64,
        current_minor: i64,
    },
    /// No such quote, or it was made for somebody else.
    #[error("no such quote")]
    NotFound,
    /// What was sent is neither an id nor a quote of ours.
    #[error("this is no quote of ours")]
    NotOurs(#[source] SignatureError),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
