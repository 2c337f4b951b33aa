//! An endpoint's own headers, sealed at rest: they may carry the receiver's credentials.

use std::collections::BTreeMap;

use reqwest::header::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::identity::{IdentityError, Sealer};
use crate::ids::EndpointId;
use crate::merge_patch::Patch;

/// Headers of one endpoint.
pub const HEADERS_MAX: usize = 20;
/// Name and value of one header.
pub const HEADER_BYTES_MAX: usize = 4096;

/// Names that are ours, or decide how the request travels.
const FORBIDDEN: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-request-id",
];
const FORBIDDEN_PREFIXES: [&str; 3] = ["webhook-", "x-awareness-", "proxy-"];

/// A header as its owner wrote it, the name in lower case.
pub type CustomHeader = (String, String);

/// Why headers cannot be taken.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum HeaderError {
    #[error("must be at most {HEADERS_MAX} headers")]
    TooMany,
    #[error("`{0}` is longer than {HEADER_BYTES_MAX} bytes")]
    TooLong(String),
    #[error("`{0}` is not a header that can be sent")]
    Invalid(String),
    #[error("`{0}` is set by the marketplace")]
    Forbidden(String),
}

/// The headers after a merge patch: one that is null goes, the others are set.
pub fn merge(
    before: Vec<CustomHeader>,
    changes: Patch<BTreeMap<String, Option<String>>>,
) -> Result<Vec<CustomHeader>, HeaderError> {
    let changes = match changes {
        Patch::Keep => return Ok(before),
        Patch::Clear => return Ok(Vec::new()),
        Patch::Set(changes) => changes,
    };
    let mut after: BTreeMap<String, String> = before.into_iter().collect();
    for (name, value) in changes {
        match value {
            Some(value) => after.insert(name.to_ascii_lowercase(), value),
            None => after.remove(&name.to_ascii_lowercase()),
        };
    }
    check(after.into_iter().collect())
}

/// Accepts headers that may stand beside ours.
fn check(headers: Vec<CustomHeader>) -> Result<Vec<CustomHeader>, HeaderError> {
    if headers.len() > HEADERS_MAX {
        return Err(HeaderError::TooMany);
    }
    headers.into_iter().map(check_one).collect()
}

fn check_one((name, value): CustomHeader) -> Result<CustomHeader, HeaderError> {
    let shown: String = name.chars().take(100).collect();
    if name.len() + value.len() > HEADER_BYTES_MAX {
        return Err(HeaderError::TooLong(shown));
    }
    let is_sendable = HeaderName::try_from(&name).is_ok() && HeaderValue::from_str(&value).is_ok();
    if !is_sendable {
        return Err(HeaderError::Invalid(shown));
    }
    let name = name.to_ascii_lowercase();
    let is_ours = FORBIDDEN.contains(&name.as_str())
        || FORBIDDEN_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix));
    match is_ours {
        true => Err(HeaderError::Forbidden(shown)),
        false => Ok((name, value)),
    }
}

/// The sealed form, bound to the endpoint; none for no headers.
pub fn seal(sealer: &Sealer, id: EndpointId, headers: &[CustomHeader]) -> Option<Vec<u8>> {
    if headers.is_empty() {
        return None;
    }
    let text = serde_json::to_vec(headers).expect("pairs of strings serialise");
    Some(sealer.seal_bytes(id.0.as_bytes(), &text))
}

/// The headers again.
pub fn open(
    sealer: &Sealer,
    id: EndpointId,
    sealed: &[u8],
) -> Result<Vec<CustomHeader>, IdentityError> {
    let text = sealer.open_bytes(id.0.as_bytes(), sealed)?;
    serde_json::from_slice(&text).map_err(|_| IdentityError::Unsealable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str) -> Option<HeaderError> {
        check(vec![(name.to_owned(), value.to_owned())]).err()
    }

    #[test]
    fn ordinary_headers_pass_in_lower_case() {
        let taken = check(vec![("Authorization".to_owned(), "Bearer x".to_owned())]);
        assert_eq!(
            taken.unwrap(),
            [("authorization".to_owned(), "Bearer x".to_owned())]
        );
    }

    #[test]
    fn headers_of_ours_and_of_the_connection_are_refused() {
        for name in [
            "Host",
            "webhook-id",
            "X-Awareness-Signature",
            "Proxy-Authorization",
            "TE",
        ] {
            assert_eq!(
                refusal(name, "x"),
                Some(HeaderError::Forbidden(name.to_owned()))
            );
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for (name, value) in [
            ("a b", "x"),
            ("", "x"),
            ("x", "a\r\nhost: evil"),
            ("x", "\u{0}"),
        ] {
            let expected = Some(HeaderError::Invalid(name.to_owned()));
            assert_eq!(refusal(name, value), expected);
        }
        let long = "a".repeat(HEADER_BYTES_MAX);
        assert_eq!(
            refusal("x", &long),
            Some(HeaderError::TooLong("x".to_owned()))
        );
        let many = vec![("x".to_owned(), String::new()); HEADERS_MAX + 1];
        assert_eq!(check(many), Err(HeaderError::TooMany));
    }
}
