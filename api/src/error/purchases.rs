//! Errors of purchases: each says what a buyer can do about it.

use chrono::{DateTime, Utc};
use common::ids::PurchaseId;
use common::money::decimal_text;
use common::purchases::PurchaseError;

use super::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence, time};

impl From<PurchaseError> for ApiError {
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each decision of a buyer, no logic"
    )]
    fn from(error: PurchaseError) -> Self {
        let text = sentence(&error);
        match error {
            PurchaseError::PackageNotFound | PurchaseError::NotFound => {
                Self::new(Code::NotFound, format!("There is {}", text.to_lowercase()))
            }
            PurchaseError::NotForSale | PurchaseError::SoldOut | PurchaseError::EarlierEnded => {
                Self::new(Code::Conflict, text)
            }
            PurchaseError::Reserved { until } => reserved(text, until),
            PurchaseError::AwaitsPayment(id) => unpaid(text, "AWAITING_PAYMENT", id),
            PurchaseError::PaymentUnderWay(id) => {
                let mut error = unpaid(text, "PAYMENT_UNDER_WAY", id);
                error.retry_after_seconds = Some(UNDER_WAY_RETRY_SECONDS);
                error
            }
            PurchaseError::NotUnpaid(state) => Self::new(Code::Conflict, text)
                .field("reason", "NOT_AWAITING_PAYMENT")
                .field("status", state.as_str()),
            PurchaseError::TooManyPayments => {
                Self::new(Code::Conflict, text).field("reason", "TOO_MANY_PAYMENTS")
            }
            PurchaseError::LicenseChanged => {
                Self::new(Code::Conflict, text).field("reason", "LICENSE_CHANGED")
            }
            PurchaseError::TakenDown => {
                Self::new(Code::Forbidden, text).field("reason", "TAKEN_DOWN")
            }
            PurchaseError::OwnPackage | PurchaseError::TypeNotAllowed => {
                Self::new(Code::Forbidden, text)
            }
            PurchaseError::BeyondBudget {
                budget_minor,
                left_minor,
                price_minor,
            } => beyond_budget(text, budget_minor, left_minor, price_minor),
            PurchaseError::PriceChanged {
                expected_minor,
                current_minor,
            } => Self::new(Code::Conflict, text)
                .field("expectedPrice", decimal_text(expected_minor))
                .field("currentPrice", decimal_text(current_minor)),
            PurchaseError::BoughtBefore(id) => Self::new(Code::Conflict, text)
                .field("purchaseId", id.to_string())
                .field("statusUrl", format!("/api/ai/purchases/{id}")),
            PurchaseError::InsufficientCredits {
                price_minor,
                balance,
            } => Self::new(Code::PaymentRequired, text)
                .field("price", decimal_text(price_minor))
                .field("available", decimal_text(balance.available_minor()))
                .field("held", decimal_text(balance.held_minor)),
            PurchaseError::Owes { owed_minor } => Self::new(Code::PaymentRequired, text)
                .field("reason", "CHARGEBACK")
                .field("owed", decimal_text(owed_minor)),
            PurchaseError::QuoteForOtherPackage
            | PurchaseError::QuoteExpired { .. }
            | PurchaseError::QuoteOutdated(_)
            | PurchaseError::QuoteUsed(_) => of_quote(&error, text),
            PurchaseError::NotBought => {
                Self::new(Code::NotFound, format!("There is {}", text.to_lowercase()))
            }
            PurchaseError::LinkExpired { id, expired_at } => Self::new(Code::Forbidden, text)
                .field("reason", "LINK_EXPIRED")
                .field("expiredAt", time(expired_at))
                .field("purchaseId", id.to_string())
                .field("renewUrl", format!("/api/ai/purchases/{id}/renew")),
            PurchaseError::NotGranted(state) => Self::new(Code::Conflict, text)
                .field("reason", "NOT_GRANTED")
                .field("status", state.as_str()),
            PurchaseError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            PurchaseError::RefundWindowOver => {
                Self::new(Code::Conflict, text).field("reason", "REFUND_WINDOW_OVER")
            }
            PurchaseError::ReturnNeedsReason => {
                let fault = "is required: the package was downloaded";
                Self::new(Code::InvalidInput, text)
                    .field("reasonCode", fault)
                    .field("reason", fault)
            }
            PurchaseError::TooManyReturns => {
                Self::new(Code::Conflict, text).field("reason", "TOO_MANY_RETURNS")
            }
            PurchaseError::Disputed => {
                Self::new(Code::Conflict, text).field("reason", "PURCHASE_DISPUTED")
            }
            PurchaseError::NotSettled(state) => Self::new(Code::Conflict, text)
                .field("reason", "PURCHASE_NOT_SETTLED")
                .field("status", state.as_str()),
            PurchaseError::CardsAreOff => Self::new(Code::InvalidInput, text)
                .field("paymentMethod", "stripe is not configured; use credits"),
            PurchaseError::NotByCard => {
                Self::new(Code::InvalidInput, text).field("paymentMethod", "use credits")
            }
            PurchaseError::Defect(defect) => Self::defect(&defect),
            PurchaseError::Database(error) => error.into(),
        }
    }
}

/// When the bank of a payment that is under way may have said more.
const UNDER_WAY_RETRY_SECONDS: u32 = 2;

/// Licenses that are left are kept for others for a while.
pub(super) fn reserved(text: String, until: DateTime<Utc>) -> ApiError {
    let seconds = (until - Utc::now()).num_seconds().max(0) + 1;
    let mut error = ApiError::new(Code::Conflict, text)
        .field("reason", "RESERVED")
        .field("reservedUntil", time(until));
    error.retry_after_seconds = u32::try_from(seconds).ok();
    error
}

/// An earlier purchase that is not paid stands in the way: where it can be paid or cancelled.
fn unpaid(text: String, reason: &str, id: PurchaseId) -> ApiError {
    ApiError::new(Code::Conflict, text)
        .field("reason", reason)
        .field("purchaseId", id.to_string())
        .field("statusUrl", format!("/api/ai/purchases/{id}"))
        .field("payUrl", format!("/api/ai/purchases/{id}/pay"))
}

fn beyond_budget(text: String, budget_minor: i64, left_minor: i64, price_minor: i64) -> ApiError {
    ApiError::new(Code::Forbidden, text)
        .field("reason", "BEYOND_BUDGET")
        .field("price", decimal_text(price_minor))
        .field("budget", decimal_text(budget_minor))
        .field("left", decimal_text(left_minor))
}

/// What a quote does not promise any more.
fn of_quote(error: &PurchaseError, text: String) -> ApiError {
    match error {
        PurchaseError::QuoteForOtherPackage => {
            ApiError::new(Code::InvalidInput, text).field("quoteId", "is for another package")
        }
        PurchaseError::QuoteExpired { expired_at } => ApiError::new(Code::Conflict, text)
            .field("reason", "QUOTE_EXPIRED")
            .field("expiredAt", time(*expired_at)),
        PurchaseError::QuoteUsed(id) => ApiError::new(Code::Conflict, text)
            .field("reason", "QUOTE_USED")
            .field("purchaseId", id.to_string())
            .field("statusUrl", format!("/api/ai/purchases/{id}")),
        _ => ApiError::new(Code::Conflict, text).field("reason", "QUOTE_OUTDATED"),
    }
}
