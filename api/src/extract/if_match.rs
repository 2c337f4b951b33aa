//! The `If-Match` header (RFC 9110 §13.1.1), where a change without it would overwrite what the
//! caller never saw.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::entity_tag::row_of;
use crate::error::{ApiError, Code};

/// The versions that the caller knows; `None` is `*`, any. A tag that is none of ours matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(pub Option<Vec<i64>>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let values = parts.headers.get_all(header::IF_MATCH);
        let lines: Vec<&str> = values
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        if lines.is_empty() {
            return Err(ApiError::new(
                Code::PreconditionRequired,
                "Send If-Match with the ETag that you were shown, so that nobody's change is lost, or * for any.",
            ));
        }
        parse(&lines.join(",")).map(Self).ok_or_else(|| {
            let message = "must be * or a list of quoted entity tags";
            ApiError::new(Code::InvalidInput, format!("If-Match {message}."))
                .field("If-Match", message)
        })
    }
}

fn parse(text: &str) -> Option<Option<Vec<i64>>> {
    if text.trim() == "*" {
        return Some(None);
    }
    let mut versions = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let (is_weak, quoted) = match tag.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, tag),
        };
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        // The comparison is strong: a weak tag is well formed, and matches nothing.
        versions.extend(row_of(inner).filter(|_| !is_weak));
    }
    (!text.trim_matches([',', ' ']).is_empty()).then_some(Some(versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_read_and_foreign_tags_match_nothing() {
        for (text, versions) in [
            ("*", Some(None)),
            ("\"3\"", Some(Some(vec![3]))),
            ("\"3\", \"4\"", Some(Some(vec![3, 4]))),
            ("\"3-0123456789abcdef\"", Some(Some(vec![3]))),
            ("W/\"3\"", Some(Some(vec![]))),
            ("\"abc\"", Some(Some(vec![]))),
            ("\"03\"", Some(Some(vec![]))),
            ("3", None),
            ("\"3", None),
            ("\"", None),
            ("", None),
            (" , ", None),
            ("*, \"3\"", None),
        ] {
            assert_eq!(parse(text), versions, "{text}");
        }
    }
}
