//! Errors of what operators do to people and packages.

use common::moderation::ModerationError;

use super::{ApiError, Code, sentence};

impl From<ModerationError> for ApiError {
    fn from(error: ModerationError) -> Self {
        let text = sentence(&error);
        match error {
            ModerationError::NotFound(what) => {
                Self::new(Code::NotFound, format!("There is no such {what}."))
            }
            ModerationError::Oneself => Self::new(Code::Conflict, text),
            ModerationError::Defect(defect) => Self::defect(&defect),
            ModerationError::Database(error) => error.into(),
        }
    }
}
