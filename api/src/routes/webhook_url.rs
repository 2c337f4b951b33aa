//! The `webhookUrl` of a request: only an address that would be reached is taken.

use common::limits::WEBHOOK_URL_CHARS_MAX;
use common::webhooks::check_url;

use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// Refuses an address that is too long, not allowed, or none.
pub fn check_webhook_url(state: &ApiState, url: Option<&str>) -> Result<(), ApiError> {
    let Some(url) = url else { return Ok(()) };
    let fault = if url.len() > WEBHOOK_URL_CHARS_MAX {
        format!("must have at most {WEBHOOK_URL_CHARS_MAX} characters")
    } else {
        match check_url(url, &state.webhook_policy) {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        }
    };
    let message = format!("webhookUrl {fault}.");
    Err(ApiError::new(Code::InvalidInput, message).field("webhookUrl", fault))
}
