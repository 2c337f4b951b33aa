//! The text of an API key.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::ids::random_hex;

/// What every key starts with.
pub const KEY_PREFIX: &str = "ak_ai_";
const HEX_DIGITS: usize = 32;
const SHOWN_DIGITS: usize = 8;

/// An API key in clear. It is never logged: `Debug` shows its first digits only.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// A new key of 128 random bits.
    pub fn generate() -> Self {
        Self(format!("{KEY_PREFIX}{}", random_hex::<16>()).into())
    }

    /// Accepts text of a key's shape.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(KEY_PREFIX)?;
        let is_key = digits.len() == HEX_DIGITS
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_key.then(|| Self(text.into()))
    }

    /// The whole key.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The whole key, for those who keep it secret too.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// What finds the key in the database.
    pub fn digest(&self) -> Vec<u8> {
        Sha256::digest(self.expose().as_bytes()).to_vec()
    }

    /// What people recognise it by.
    pub fn shown_prefix(&self) -> String {
        self.expose()[..KEY_PREFIX.len() + SHOWN_DIGITS].to_owned()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}…)", self.shown_prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_seeds_shape_and_hides_itself() {
        let key = ApiKey::generate();
        assert_eq!(key.expose().len(), 38);
        assert!(ApiKey::parse(key.expose()).is_some());
        assert!(!format!("{key:?}").contains(key.expose()));
    }

    #[test]
    fn other_text_is_no_key() {
        for text in [
            "",
            "ak_ai_",
            "ak_ai_1234",
            "AK_AI_1234567890abcdef1234567890abcdef",
            "ak_ai_1234567890ABCDEF1234567890abcdef",
        ] {
            assert!(ApiKey::parse(text).is_none(), "{text}");
        }
    }
}
