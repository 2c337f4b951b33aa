//! Entity tags (RFC 9110 §8.8.3): one function makes them all, from all bytes of a body and the version
//! of the API that it is written in. Whatever is shown differently has another tag.
//!
//! Where a change needs `If-Match`, the tag begins with the version of what is changed (`"3-…"`), and only
//! that is compared: a sale or another client's star is no reason to refuse a new description.

use axum::http::HeaderValue;
use sha2::{Digest as _, Sha256};

use crate::version::ApiVersion;

/// Asks the outermost layer for an entity tag; in the extensions of a response with a body of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tagged {
    row: Option<i64>,
}

impl Tagged {
    /// Of what no `If-Match` changes.
    pub const WHOLE: Self = Self { row: None };

    /// Of what is at that version.
    pub fn at(row: i64) -> Self {
        Self { row: Some(row) }
    }

    /// The tag of a body.
    pub fn tag(self, version: ApiVersion, body: &[u8]) -> HeaderValue {
        let mut digest = Sha256::new();
        digest.update(version.as_str());
        digest.update([0]);
        digest.update(body);
        let digest = hex::encode(&digest.finalize()[..8]);
        let tag = match self.row {
            Some(row) => format!("\"{row}-{digest}\""),
            None => format!("\"{digest}\""),
        };
        HeaderValue::from_str(&tag).expect("digits")
    }
}

/// The version of a tag that [`Tagged::tag`] made, or of one that names it alone.
pub fn row_of(tag: &str) -> Option<i64> {
    let (row, digest) = match tag.split_once('-') {
        Some((row, digest)) => (row, Some(digest)),
        None => (tag, None),
    };
    let is_digest = |digest: &str| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digest.len() == 16 && digest.bytes().all(is_hex)
    };
    let version = row.parse::<i64>().ok()?;
    (version.to_string() == row && digest.is_none_or(is_digest)).then_some(version)
}

/// Whether a list of entity tags names this one (weakly, as `If-None-Match` compares).
pub fn matches_tag(known: &str, etag: &str) -> bool {
    known
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_differs_with_the_body_the_version_and_the_row() {
        let tags = [
            Tagged::at(1).tag(ApiVersion::V1, b"{}"),
            Tagged::at(2).tag(ApiVersion::V1, b"{}"),
            Tagged::at(1).tag(ApiVersion::V2, b"{}"),
            Tagged::at(1).tag(ApiVersion::V1, b"{ }"),
            Tagged::WHOLE.tag(ApiVersion::V1, b"{}"),
        ];
        for (at, tag) in tags.iter().enumerate() {
            assert!(!tags[..at].contains(tag), "{tag:?}");
        }
    }

    #[test]
    fn the_row_is_read_from_what_we_wrote_and_from_nothing_else() {
        let tag = Tagged::at(3).tag(ApiVersion::V3, b"{}");
        let text = tag.to_str().unwrap().trim_matches('"').to_owned();
        assert_eq!(row_of(&text), Some(3));
        assert_eq!(row_of("3"), Some(3));
        for foreign in [
            "03",
            "3-",
            "3-12",
            "x",
            "",
            "-3-",
            "3-0123456789abcdeg",
            "0123456789abcdef",
        ] {
            assert_eq!(row_of(foreign), None, "{foreign}");
        }
    }
}
