//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use common::idempotency::IdempotencyKey;
use common::identity::Principal;
use common::limits::IDEMPOTENCY_KEY_CHARS_MAX;

use crate::contract::{Input, Signature};
use crate::error::{ApiError, Code};

/// The key, if there is one; visible ASCII, at most 255 characters.
#[derive(Debug, Clone)]
pub struct IdempotencyHeader(pub Option<String>);

impl IdempotencyHeader {
    /// The key in its scope.
    pub fn scoped(self, caller: &Principal, endpoint: &'static str) -> Option<IdempotencyKey> {
        self.0.map(|key| IdempotencyKey {
            user: caller.user,
            acting: caller.key,
            endpoint,
            key,
        })
    }
}

impl Input for IdempotencyHeader {
    fn describe(signature: &mut Signature) {
        signature.headers.push("Idempotency-Key");
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyHeader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let text = unquoted(value.to_str().unwrap_or_default().trim());
        let is_sound = (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if !is_sound {
            let message =
                format!("must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters");
            let error = ApiError::new(Code::InvalidInput, format!("Idempotency-Key {message}."));
            return Err(error.field("Idempotency-Key", message));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

/// The draft standard makes the value a quoted string; most clients send it bare.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn one_pair_of_quotes_is_no_part_of_a_key() {
        for (text, key) in [
            ("\"a\"", "a"),
            ("a", "a"),
            ("\"\"a\"\"", "\"a\""),
            ("\"\"a", "\"\"a"),
            ("a\"", "a\""),
            ("\"", "\""),
            ("\"\"", ""),
        ] {
            assert_eq!(unquoted(text), key, "{text}");
        }
    }
}
