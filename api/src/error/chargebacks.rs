//! Why nothing was done about a chargeback, as operators see it.

use common::chargebacks::ChargebackError;

use super::{ApiError, Code, sentence};

impl From<ChargebackError> for ApiError {
    fn from(error: ChargebackError) -> Self {
        match error {
            ChargebackError::NotFound => Self::new(Code::NotFound, "There is no such chargeback."),
            ChargebackError::NotToBeAnswered => Self::new(Code::Conflict, sentence(&error)),
            ChargebackError::Evidence => {
                Self::new(Code::InvalidInput, sentence(&error)).field("evidence", error.to_string())
            }
            ChargebackError::Defect(defect) => Self::defect(&defect),
            ChargebackError::Database(error) => error.into(),
        }
    }
}
