//! Errors of quotes: refused as a purchase would be.

use common::money::decimal_text;
use common::quotes::QuoteError;

use super::{ApiError, Code, sentence};

impl From<QuoteError> for ApiError {
    fn from(error: QuoteError) -> Self {
        let text = sentence(&error);
        match error {
            QuoteError::PackageNotFound | QuoteError::NotFound => {
                Self::new(Code::NotFound, format!("There is {}", text.to_lowercase()))
            }
            QuoteError::NotForSale | QuoteError::SoldOut => Self::new(Code::Conflict, text),
            QuoteError::Reserved { until } => super::purchases::reserved(text, until),
            QuoteError::TooMany => {
                Self::new(Code::Conflict, text).field("reason", "TOO_MANY_QUOTES")
            }
            QuoteError::OwnPackage => Self::new(Code::Forbidden, text),
            QuoteError::PriceChanged {
                expected_minor,
                current_minor,
            } => Self::new(Code::Conflict, text)
                .field("expectedPrice", decimal_text(expected_minor))
                .field("currentPrice", decimal_text(current_minor)),
            QuoteError::NotOurs(reason) => {
                Self::new(Code::InvalidInput, text).field("quoteId", reason.to_string())
            }
            QuoteError::Database(error) => error.into(),
        }
    }
}
