//! Why a payment did not happen, as clients see it.

use common::payments::PaymentError;

use super::{ApiError, Code, IDEMPOTENCY_CONFLICT, sentence};

impl From<PaymentError> for ApiError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::NotFound => Self::new(Code::NotFound, "There is no such payment."),
            PaymentError::CardsAreOff => Self::new(Code::InvalidInput, sentence(&error))
                .field("paymentMethodId", "no card provider is configured"),
            PaymentError::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, IDEMPOTENCY_CONFLICT)
            }
            PaymentError::Database(error) => error.into(),
        }
    }
}
