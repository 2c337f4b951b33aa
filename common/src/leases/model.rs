//! Rows and values of leases.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::random_hex;
use crate::limits::LEASE_RESOURCE_CHARS_MAX;
use crate::schema::inline_schema;

/// What is locked: a name that an account chose. It is one segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Resource(String);

inline_schema!(Resource, {
    "type": "string",
    "description": "What is locked, by a name of your choice: letters, digits, `.`, `_`, `:` and `-`.",
    "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$",
    "examples": ["nightly-import"],
});

impl Resource {
    /// Reads a name; nobody need hold a lease of it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_sound = text.len() <= LEASE_RESOURCE_CHARS_MAX
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
        is_sound.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "must be 1 to {LEASE_RESOURCE_CHARS_MAX} letters, digits, ., _, : and -, and begin with a letter or digit"
            ))
        })
    }
}

const TOKEN_PREFIX: &str = "lt_";
const TOKEN_HEX_DIGITS: usize = 32;

/// What proves to be the holder of a lease, together with a key or session of its account. Alone it opens nothing, so an
/// answer that is kept for a repeated request keeps it. `Debug` does not show it.
#[derive(Clone)]
pub struct LeaseToken(SecretString);

impl LeaseToken {
    /// A new token of 128 random bits.
    pub fn generate() -> Self {
        Self(format!("{TOKEN_PREFIX}{}", random_hex::<16>()).into())
    }

    /// Accepts text of a token's shape.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(TOKEN_PREFIX)?;
        let is_token = digits.len() == TOKEN_HEX_DIGITS
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_token.then(|| Self(text.into()))
    }

    /// The whole token.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What finds the lease in the database.
    pub fn digest(&self) -> Vec<u8> {
        Sha256::digest(self.expose().as_bytes()).to_vec()
    }
}

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseToken(…)")
    }
}

/// A lease that is held.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Lease {
    pub resource: Resource,
    /// The account's own name for who holds it.
    pub holder: Option<String>,
    pub fence: i64,
    pub acquired_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Until it expires, by the clock of PostgreSQL.
    pub remaining_ms: i64,
    /// Who waits for it and lives.
    pub waiters: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_one_segment_of_a_path() {
        for text in ["a", "nightly-import", "Order:7.v2_b", &"x".repeat(200)] {
            assert_eq!(Resource::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            ".",
            "..",
            ":a",
            "a b",
            "a/b",
            "é",
            "a\0",
            &"x".repeat(201),
        ] {
            assert_eq!(Resource::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_reads_back_and_hides_itself() {
        let token = LeaseToken::generate();
        assert_eq!(
            LeaseToken::parse(token.expose()).unwrap().digest(),
            token.digest()
        );
        assert!(!format!("{token:?}").contains(&token.expose()[3..]));
        for text in ["", "lt_", "lt_12", "lt_1234567890ABCDEF1234567890abcdef"] {
            assert!(LeaseToken::parse(text).is_none(), "{text}");
        }
    }
}
