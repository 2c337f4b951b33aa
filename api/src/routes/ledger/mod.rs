//! What a user has: credits to spend and earnings of sales. Any valid key of the user may look.

mod balance;
mod statement;

pub use balance::{get_credits, get_earnings};
pub use statement::{list_credits, list_earnings};

use crate::error::{ApiError, Code};

/// A currency that somebody named, by its shape; in one that was never used there is nothing.
pub(super) fn currency(named: &str) -> Result<&str, ApiError> {
    let is_sound = named.len() == 3 && named.bytes().all(|byte| byte.is_ascii_uppercase());
    is_sound.then_some(named).ok_or_else(|| {
        ApiError::new(Code::InvalidInput, "This is not a currency.")
            .field("currency", "must be three capital letters such as USD")
    })
}
