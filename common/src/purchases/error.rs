//! Why something about a purchase did not happen.

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::PurchaseState;
use crate::ids::PurchaseId;
use crate::ledger::{Balance, LedgerError};
use crate::payments::PaymentError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum PurchaseError {
    /// No such package of that type, or it was removed.
    #[error("no such package")]
    PackageNotFound,
    /// No such purchase, or it is not the caller's.
    #[error("no such purchase")]
    NotFound,
    /// The seller has paused it.
    #[error("this package is not for sale at the moment")]
    NotForSale,
    /// The caller sells it.
    #[error("a seller cannot buy their own package")]
    OwnPackage,
    /// The listing asks another price than the caller expects.
    #[error("the price has changed")]
    PriceChanged {
        expected_minor: i64,
        current_minor: i64,
    },
    /// The caller has it, or is about to.
    #[error("this package was bought before, by purchase {0}")]
    BoughtBefore(PurchaseId),
    /// It was there when the row was written and had ended when it was looked for.
    #[error("an earlier purchase of this package has just ended; please try again")]
    EarlierEnded,
    /// The key is not for packages of this type.
    #[error("this API key may not buy packages of this type")]
    TypeNotAllowed,
    /// More than the key may spend, at once or within 24 hours.
    #[error("the price is beyond the budget of this API key")]
    BeyondBudget {
        budget_minor: i64,
        left_minor: i64,
        price_minor: i64,
    },
    /// All licences are taken.
    #[error("this package is sold out")]
    SoldOut,
    /// The caller's credits, less what is held, do not cover the price.
    #[error("not enough credits")]
    InsufficientCredits { price_minor: i64, balance: Balance },
    /// The quote is for another package than the request.
    #[error("this quote is for another package")]
    QuoteForOtherPackage,
    /// Its ten minutes are over.
    #[error("this quote has expired; ask for another")]
    QuoteExpired { expired_at: DateTime<Utc> },
    /// What is for sale is not what was quoted any more.
    #[error("{0} has changed since the quote; ask for another")]
    QuoteOutdated(&'static str),
    /// It buys once.
    #[error("this quote was used before, by purchase {0}")]
    QuoteUsed(PurchaseId),
    /// Nothing of the caller's gives access to it.
    #[error("no such package among your purchases")]
    NotBought,
    /// The seven days are over; the buyer may renew them.
    #[error("the download link has expired; renew it")]
    LinkExpired {
        id: PurchaseId,
        expired_at: DateTime<Utc>,
    },
    /// It is not settled, or not any more.
    #[error("this purchase is {0}")]
    NotGranted(PurchaseState),
    /// The key came before with other content.
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyConflict,
    /// It is too late to hand it back.
    #[error("a purchase can be handed back within 7 days of its settlement")]
    RefundWindowOver,
    /// Its dispute decides.
    #[error("the purchase is disputed; its dispute decides whether it is refunded")]
    Disputed,
    /// It never was, or no longer is, the buyer's.
    #[error("the purchase is {0}, not settled")]
    NotSettled(PurchaseState),
    /// There is no card provider.
    #[error("payment by card is not available here")]
    CardsAreOff,
    /// The card provider charges neither as little nor as much.
    #[error("no card can pay this price; pay with credits")]
    NotByCard,
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<PaymentError> for PurchaseError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::NotFound => Self::NotFound,
            PaymentError::CardsAreOff => Self::CardsAreOff,
            PaymentError::IdempotencyConflict => Self::IdempotencyConflict,
            PaymentError::Database(error) => Self::Database(error),
        }
    }
}

impl From<LedgerError> for PurchaseError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Database(error),
            // Commands that hold credits say how many are missing; elsewhere this is a defect.
            error => Self::Database(sqlx::Error::Protocol(error.to_string())),
        }
    }
}
