//! Why something about a purchase did not happen.

use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

use super::PurchaseState;
use crate::ids::PurchaseId;
use crate::ledger::{Balance, LedgerError};
use crate::limits::{PAYMENTS_PER_PURCHASE_MAX, RETURNS_DAYS, RETURNS_MAX};
use crate::money::decimal_text;
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
    /// An operator took it down, and the grants with it.
    #[error("this package was taken down; who bought it can hand the purchase back")]
    TakenDown,
    /// Money that the caller had paid with went back to a card.
    #[error("your account owes {} after a chargeback; add credits to go on", decimal_text(*owed_minor))]
    Owes { owed_minor: i64 },
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
    /// All licenses are taken.
    #[error("this package is sold out")]
    SoldOut,
    /// All licenses that are left are kept for others who are paying.
    #[error("this package is reserved until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    Reserved { until: DateTime<Utc> },
    /// The same request is there and waits for its payment.
    #[error("purchase {0} of this package waits for its payment; pay it, or cancel it")]
    AwaitsPayment(PurchaseId),
    /// The provider was asked for the money of an earlier request and may be about to charge it.
    #[error("the payment of purchase {0} is under way; wait for its outcome")]
    PaymentUnderWay(PurchaseId),
    /// It is paid, or has ended.
    #[error("the purchase is {0}, and does not wait for a payment")]
    NotUnpaid(PurchaseState),
    /// It has begun as many as it may.
    #[error("this purchase has begun {PAYMENTS_PER_PURCHASE_MAX} payments; cancel it and ask anew")]
    TooManyPayments,
    /// The listing is sold under another license by now.
    #[error("the license of this package has changed; ask anew")]
    LicenseChanged,
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
    /// It was downloaded, so its buyer says why it is handed back.
    #[error("the package was downloaded: say why it is handed back, with reasonCode and reason")]
    ReturnNeedsReason,
    /// The account has handed back as much as it may after a download.
    #[error(
        "an account hands back {RETURNS_MAX} downloaded packages in {RETURNS_DAYS} days; open a dispute instead"
    )]
    TooManyReturns,
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
    /// What cannot be, was: a defect of ours, which trying again does not mend.
    #[error("a defect: {0}")]
    Defect(String),
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
            error => Self::Defect(error.to_string()),
        }
    }
}
