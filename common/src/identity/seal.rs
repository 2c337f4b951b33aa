//! Seals API keys and other secrets with AES-256-GCM under the master key, bound to their row's id.
//!
//! Sealed form: one version byte, a random 96-bit nonce, the ciphertext with its tag.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use rand::Rng as _;
use secrecy::ExposeSecret as _;

use super::{ApiKey, IdentityError};
use crate::config::SecretConfig;
use crate::ids::ApiKeyId;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Sealer(Aes256Gcm);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// With the master key of the configuration.
    pub fn new(config: &SecretConfig) -> Self {
        let bytes = hex::decode(config.master_key.expose_secret())
            .expect("the configuration checked the digits");
        Self(Aes256Gcm::new_from_slice(&bytes).expect("the configuration checked the length"))
    }

    /// The sealed form of a key.
    pub fn seal(&self, id: ApiKeyId, key: &ApiKey) -> Vec<u8> {
        self.seal_bytes(id.0.as_bytes(), key.expose().as_bytes())
    }

    /// The key again, if the master key and the id are those it was sealed with.
    pub fn open(&self, id: ApiKeyId, sealed: &[u8]) -> Result<ApiKey, IdentityError> {
        let text = self.open_bytes(id.0.as_bytes(), sealed)?;
        std::str::from_utf8(&text)
            .ok()
            .and_then(ApiKey::parse)
            .ok_or(IdentityError::Unsealable)
    }

    /// The sealed form of a secret, bound to the id of the row that keeps it.
    pub fn seal_bytes(&self, row_id: &[u8], secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: secret,
            aad: row_id,
        };
        let sealed = self
            .0
            .encrypt(&nonce.into(), payload)
            .expect("a secret is far shorter than the cipher's limit");
        [&[VERSION], &nonce[..], &sealed].concat()
    }

    /// The secret again, if the master key and the row are those it was sealed with.
    pub fn open_bytes(&self, row_id: &[u8], sealed: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let rest = sealed
            .strip_prefix(&[VERSION])
            .ok_or(IdentityError::Unsealable)?;
        let (nonce, ciphertext) = rest
            .split_at_checked(NONCE_BYTES)
            .ok_or(IdentityError::Unsealable)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().expect("split at its length");
        let payload = Payload {
            msg: ciphertext,
            aad: row_id,
        };
        self.0
            .decrypt(&nonce.into(), payload)
            .map_err(|_| IdentityError::Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(digit: &str) -> Sealer {
        Sealer::new(&SecretConfig {
            master_key: digit.repeat(64).into(),
        })
    }

    #[test]
    fn a_sealed_key_opens_only_for_its_id_and_master_key() {
        let (id, key) = (ApiKeyId::new(), ApiKey::generate());
        let sealed = sealer("a").seal(id, &key);
        assert_eq!(
            sealer("a").open(id, &sealed).expect("opens").expose(),
            key.expose()
        );
        assert!(sealer("b").open(id, &sealed).is_err());
        assert!(sealer("a").open(ApiKeyId::new(), &sealed).is_err());
        assert!(sealer("a").open(id, &sealed[..5]).is_err());
        assert!(!sealed.windows(8).any(|window| {
            key.expose()
                .as_bytes()
                .windows(8)
                .any(|text| text == window)
        }));
    }
}
