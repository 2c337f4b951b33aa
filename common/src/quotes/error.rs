//! Why there is no quote.

use thiserror::Error;

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
    /// All licences are taken.
    #[error("this package is sold out")]
    SoldOut,
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
