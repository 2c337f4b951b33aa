//! The keys under which statements (receipts, quotes) are signed.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::Env;

/// The live Ed25519 key, and the public halves of those that signed before it.
#[derive(Debug, Clone)]
pub struct SigningConfig {
    /// The private key of RFC 8032, 32 bytes in hex.
    pub key: SecretString,
    /// What they signed still holds; they sign nothing any more.
    pub retired_keys: Vec<PublicKeyHex>,
}

impl SigningConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let retired_keys = env.list("AWARENESS_RETIRED_SIGNING_KEYS");
        let key = env.secret("AWARENESS_SIGNING_KEY")?;
        if PublicKeyHex::from_str(key.expose_secret()).is_err() {
            env.fault(
                "AWARENESS_SIGNING_KEY",
                "must be 64 hexadecimal digits (openssl rand -hex 32)",
            );
            return None;
        }
        Some(Self { key, retired_keys })
    }
}

/// An Ed25519 public key, 32 bytes, read from 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKeyHex(pub [u8; 32]);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits")]
pub struct PublicKeyHexError;

impl FromStr for PublicKeyHex {
    type Err = PublicKeyHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| PublicKeyHexError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for PublicKeyHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, retired: &str) -> Result<SigningConfig, String> {
        let (key, retired) = (key.to_owned(), retired.to_owned());
        let mut env = Env::new(move |name| match name {
            "AWARENESS_SIGNING_KEY" => Some(key.clone()),
            "AWARENESS_RETIRED_SIGNING_KEYS" => Some(retired.clone()),
            _ => None,
        });
        let config = SigningConfig::from_env(&mut env);
        env.finish(config).map_err(|error| error.to_string())
    }

    #[test]
    fn the_live_key_is_required_and_retired_ones_may_be_many_or_none() {
        let digits = |digit: &str| digit.repeat(64);
        let config = read(&digits("a"), "").expect("sound");
        assert_eq!(config.retired_keys, []);
        let listed = format!("{}, {}", digits("b"), digits("C"));
        let config = read(&digits("a"), &listed).expect("sound");
        let expected = [PublicKeyHex([0xbb; 32]), PublicKeyHex([0xcc; 32])];
        assert_eq!(config.retired_keys, expected);
        let missing = read("", "").expect_err("no key");
        assert!(missing.contains("AWARENESS_SIGNING_KEY is required"));
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_a_secret_one_is_never_shown() {
        for secret in ["c0ffee".to_owned(), "g".repeat(64), "a".repeat(66)] {
            let error = read(&secret, "").expect_err("no key");
            assert!(
                error.contains("AWARENESS_SIGNING_KEY must be 64"),
                "{error}"
            );
            assert!(!error.contains(&secret), "{error}");
        }
        let error = read(&"a".repeat(64), "1234").expect_err("no key");
        assert!(error.contains("AWARENESS_RETIRED_SIGNING_KEYS 1234: must be"));
        let config = read(&"a".repeat(64), "").expect("sound");
        assert!(!format!("{config:?}").contains(&"a".repeat(64)));
    }
}
