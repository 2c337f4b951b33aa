//! Entity tags (RFC 9110 §8.8.3): one function makes them all, from all bytes of a body and the version
//! of the API that it is written in. Whatever is shown differently has another tag.
//!
//! Where a change needs `If-Match`, the tag begins with the version of what is changed (`"3-…"`), and only
//! that is compared: a sale or another client's star is no reason to refuse a new description.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use crate::header_list::{EntityTag, entity_tags};
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

/// What proxies, and our own compression, append to a tag when they change how a body is written.
const CODINGS: [&str; 4] = ["--gzip", "-gzip", "-br", "-zstd"];

/// The tag of the same answer in gzip: what is written differently has another strong tag (RFC 9110 §8.8.3.3).
pub fn compressed_tag(tag: &HeaderValue) -> Option<HeaderValue> {
    let open = tag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::from_str(&format!("{open}-gzip\"")).ok()
}

/// A tag as it was before a coding was noted in it.
fn plain(tag: &str) -> &str {
    let mut plain = CODINGS.iter().filter_map(|coding| tag.strip_suffix(coding));
    plain.next().unwrap_or(tag)
}

/// The version of a tag that [`Tagged::tag`] made, or of one that names it alone.
pub fn row_of(tag: &str) -> Option<i64> {
    let tag = plain(tag);
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

/// What a client knows already (`If-None-Match`). Tags are compared weakly, as the standard says.
#[derive(Debug, Clone, Default)]
pub struct KnownTags(Vec<EntityTag>);

impl KnownTags {
    /// The tags of a request. A header that cannot be read names nothing.
    pub fn read(headers: &HeaderMap) -> Self {
        Self(entity_tags(headers, &header::IF_NONE_MATCH).unwrap_or_default())
    }

    /// Whether the client knows nothing yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the client knows what has this tag.
    pub fn has(&self, tag: &HeaderValue) -> bool {
        let tag = tag.to_str().unwrap_or_default().trim_matches('"');
        self.0.iter().any(|known| match known {
            EntityTag::Any => true,
            EntityTag::Strong(known) | EntityTag::Weak(known) => plain(known) == tag,
        })
    }
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
        assert_eq!(row_of(&format!("{text}-gzip")), Some(3));
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

    #[test]
    fn a_known_tag_is_found_weak_compressed_among_others_and_over_several_lines() {
        let tag = Tagged::at(3).tag(ApiVersion::V1, b"{}");
        let text = tag.to_str().unwrap();
        let compressed = text.trim_matches('"');
        for lines in [
            vec![text.to_owned()],
            vec![format!("W/{text}")],
            vec![format!("\"x\", {text}")],
            vec!["\"x\"".to_owned(), text.to_owned()],
            vec![format!("\"{compressed}-gzip\"")],
            vec![format!("W/\"{compressed}--gzip\"")],
            vec!["*".to_owned()],
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(header::IF_NONE_MATCH, line.parse().unwrap());
            }
            assert!(KnownTags::read(&headers).has(&tag), "{lines:?}");
            let other = Tagged::at(4).tag(ApiVersion::V1, b"{}");
            let is_any = lines == ["*"];
            assert_eq!(KnownTags::read(&headers).has(&other), is_any, "{lines:?}");
        }
        assert!(KnownTags::read(&HeaderMap::new()).is_empty());
    }
}
