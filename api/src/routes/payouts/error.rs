//! What is wrong with a payout, for sellers.

use common::money::decimal_text;
use common::payouts::PayoutError;

use crate::error::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence};

impl From<PayoutError> for ApiError {
    fn from(error: PayoutError) -> Self {
        let text = sentence(&error);
        match error {
            PayoutError::NotFound => Self::new(Code::NotFound, "There is no such payout."),
            PayoutError::NotEnough(earnings) => Self::new(Code::Conflict, text)
                .field("reason", "NOT_ENOUGH_EARNINGS")
                .field("available", decimal_text(earnings.available_minor()))
                .field("maturing", decimal_text(earnings.maturing_minor))
                .field("balance", decimal_text(earnings.posted_minor)),
            PayoutError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            PayoutError::Held => Self::new(Code::Conflict, text).field("reason", "SELLER_BLOCKED"),
            PayoutError::EndedBefore(state) => Self::new(Code::Conflict, text)
                .field("reason", "ENDED_BEFORE")
                .field("status", state.to_string()),
            PayoutError::Defect(defect) => Self::defect(&defect),
            PayoutError::Database(error) => error.into(),
        }
    }
}
