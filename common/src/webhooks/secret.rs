//! The secret behind the Standard Webhooks signature.
//!
//! Guarantees 24 to 64 bytes (the specification's limits; an empty secret would sign for anybody) and
//! that they are wiped on drop and never printed. An upload's `webhookUrl` has no secret of its own:
//! its secret is derived from the API key that sent the upload. The derivation is the identity, the
//! key's text as bytes (`ak_ai_` and 32 hex digits are 38 bytes, 128 of their bits random), so a
//! receiver needs nothing but the key it already has: `whsec_` + base64 of the key's text.
//!
//! The legacy signature uses the same key. Neither can pass for the other: the legacy one covers a
//! JSON body that starts with `{`, the standard one a text that starts with the message id.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use thiserror::Error;
use uuid::Uuid;

use crate::identity::{IdentityError, Sealer};

const PREFIX: &str = "whsec_";
const GENERATED_BYTES: usize = 32;
const LENGTH_BYTES: RangeInclusive<usize> = 24..=64;

/// The bytes that key a Standard Webhooks `v1` signature.
#[derive(Debug, Clone)]
pub struct WebhookSecret(SecretSlice<u8>);

/// Why a text is no webhook secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SecretError {
    /// What follows the prefix is not standard base64.
    #[error("a webhook secret is `whsec_` followed by base64")]
    Encoding,
    /// Too short to be safe, or longer than the specification allows.
    #[error("a webhook secret has 24 to 64 bytes, this one {0}")]
    Length(usize),
}

impl WebhookSecret {
    /// The secret that belongs to an API key: the key's text, byte for byte.
    pub fn from_api_key(api_key: &SecretString) -> Result<Self, SecretError> {
        Self::from_bytes(api_key.expose_secret().as_bytes().to_vec())
    }

    /// A new secret of 32 random bytes.
    pub fn generate() -> Self {
        let mut bytes = vec![0_u8; GENERATED_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(SecretSlice::from(bytes))
    }

    /// The sealed form, bound to the row that keeps it.
    pub fn seal(&self, sealer: &Sealer, row: Uuid) -> Vec<u8> {
        sealer.seal_bytes(row.as_bytes(), self.bytes())
    }

    /// The secret again.
    pub fn open(sealer: &Sealer, row: Uuid, sealed: &[u8]) -> Result<Self, IdentityError> {
        let bytes = sealer.open_bytes(row.as_bytes(), sealed)?;
        Self::from_bytes(bytes).map_err(|_| IdentityError::Unsealable)
    }

    /// Reads `whsec_<base64>`; the prefix may be missing, as in the reference libraries.
    pub fn parse(text: &SecretString) -> Result<Self, SecretError> {
        let text = text.expose_secret();
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| SecretError::Encoding)?;
        Self::from_bytes(bytes)
    }

    /// The text a receiver configures its library with.
    pub fn to_text(&self) -> SecretString {
        SecretString::from(format!("{PREFIX}{}", BASE64_STANDARD.encode(self.bytes())))
    }

    fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        if !LENGTH_BYTES.contains(&bytes.len()) {
            return Err(SecretError::Length(bytes.len()));
        }
        Ok(Self(SecretSlice::from(bytes)))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API_KEY: &str = "ak_ai_0123456789abcdef0123456789abcdef";

    #[test]
    fn an_api_key_is_its_own_secret_byte_for_byte() {
        let secret = WebhookSecret::from_api_key(&SecretString::from(API_KEY)).unwrap();
        assert_eq!(secret.bytes(), API_KEY.as_bytes());
        assert_eq!(
            secret.to_text().expose_secret(),
            "whsec_YWtfYWlfMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        );
    }

    #[test]
    fn the_text_form_reads_back_with_and_without_its_prefix() {
        let secret = WebhookSecret::from_api_key(&SecretString::from(API_KEY)).unwrap();
        let text = secret.to_text();
        let bare = SecretString::from(text.expose_secret().trim_start_matches(PREFIX));
        assert_eq!(WebhookSecret::parse(&text).unwrap().bytes(), secret.bytes());
        assert_eq!(WebhookSecret::parse(&bare).unwrap().bytes(), secret.bytes());
    }

    #[test]
    fn secrets_outside_24_to_64_bytes_are_refused() {
        for length in [0, 1, 23, 65] {
            let key = SecretString::from("k".repeat(length));
            let refusal = WebhookSecret::from_api_key(&key).unwrap_err();
            assert_eq!(refusal, SecretError::Length(length));
        }
        for length in [24, 64] {
            let key = SecretString::from("k".repeat(length));
            assert!(WebhookSecret::from_api_key(&key).is_ok());
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let secret = WebhookSecret::from_api_key(&SecretString::from(API_KEY)).unwrap();
        let bytes_as_debug = format!("{:?}", API_KEY.as_bytes());
        assert!(!format!("{secret:?}").contains(bytes_as_debug.trim_matches(['[', ']'])));
    }
}
