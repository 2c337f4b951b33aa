//! Errors of purchases: each says what a buyer can do about it.

use common::money::decimal_text;
use common::purchases::PurchaseError;

use super::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence, time};

impl From<PurchaseError> for ApiError {
    fn from(error: PurchaseError) -> Self {
        let text = sentence(&error);
        match error {
            PurchaseError::PackageNotFound | PurchaseError::NotFound => {
                Self::new(Code::NotFound, format!("There is {}", text.to_lowercase()))
            }
            PurchaseError::NotForSale | PurchaseError::SoldOut | PurchaseError::EarlierEnded => {
                Self::new(Code::Conflict, text)
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
            PurchaseError::Database(error) => error.into(),
        }
    }
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
