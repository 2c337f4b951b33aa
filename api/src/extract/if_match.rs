//! The `If-Match` header (RFC 9110 §13.1.1), where a change without it would overwrite what the
//! caller never saw.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::contract::{Input, Signature};
use crate::entity_tag::row_of;
use crate::error::{ApiError, Code};
use crate::header_list::{EntityTag, entity_tags};

/// The versions that the caller knows; `None` is `*`, any. A tag that is none of ours matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(pub Option<Vec<i64>>);

impl Input for IfMatch {
    fn describe(signature: &mut Signature) {
        signature.headers.push("If-Match");
    }
}

/// Looked at by the handler, after it has looked for what is to be changed.
impl Input for Result<IfMatch, ApiError> {
    fn describe(signature: &mut Signature) {
        IfMatch::describe(signature);
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Err(ApiError::new(
                Code::PreconditionRequired,
                "Send If-Match with the ETag that you were shown, so that nobody's change is lost, or * for any.",
            ));
        }
        read(&parts.headers).map(Self).ok_or_else(|| {
            let message = "must be * or a list of quoted entity tags";
            ApiError::new(Code::InvalidInput, format!("If-Match {message}."))
                .field("If-Match", message)
        })
    }
}

fn read(headers: &HeaderMap) -> Option<Option<Vec<i64>>> {
    let tags = entity_tags(headers, &header::IF_MATCH)?;
    if tags == [EntityTag::Any] {
        return Some(None);
    }
    if tags.is_empty() || tags.contains(&EntityTag::Any) {
        return None;
    }
    let versions = tags.iter().filter_map(|tag| match tag {
        EntityTag::Strong(tag) => row_of(tag),
        // The comparison is strong: a weak tag is well formed, and matches nothing.
        EntityTag::Weak(_) | EntityTag::Any => None,
    });
    Some(Some(versions.collect()))
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
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, text.parse().unwrap());
            assert_eq!(read(&headers), versions, "{text}");
        }
    }
}
