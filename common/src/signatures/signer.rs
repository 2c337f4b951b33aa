//! The one who signs.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{ALGORITHM, Jwks, PublicKey, SEPARATOR};
use crate::config::SigningConfig;

/// Signs under the live key and publishes all keys; cheap to clone.
#[derive(Clone)]
pub struct Signer {
    key: Arc<Ed25519KeyPair>,
    key_id: String,
    /// The live key first, each once.
    public_keys: Vec<PublicKey>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The protected header. The order of its members is part of the signed bytes.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

impl Signer {
    /// With the keys of the configuration.
    pub fn new(config: &SigningConfig) -> Self {
        let seed =
            hex::decode(config.key.expose_secret()).expect("the configuration checked the digits");
        let key = Ed25519KeyPair::from_seed_unchecked(&seed)
            .expect("the configuration checked the length");
        let live: [u8; 32] = key
            .public_key()
            .as_ref()
            .try_into()
            .expect("Ed25519 has keys of 32 bytes");
        let live = PublicKey::new(live);
        let mut public_keys = vec![live];
        for retired in &config.retired_keys {
            let retired = PublicKey::new(retired.0);
            if !public_keys.contains(&retired) {
                public_keys.push(retired);
            }
        }
        Self {
            key: Arc::new(key),
            key_id: live.thumbprint(),
            public_keys,
        }
    }

    /// The statement in compact form: the same claims, the same bytes. `claims` is a struct with
    /// text keys, and stays below [`crate::limits::SIGNED_STATEMENT_BYTES_MAX`] when it is encoded.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let header = Header {
            alg: ALGORITHM,
            typ,
            kid: &self.key_id,
        };
        let mut token = encoded(&header);
        token.push(SEPARATOR);
        token.push_str(&encoded(claims));
        let signature = self.key.sign(token.as_bytes());
        token.push(SEPARATOR);
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// The bare signature of bytes, as webhooks carry it. A statement starts with its encoded header,
    /// `eyJ`, and a webhook with its message id, so neither can pass for the other.
    pub fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.key
            .sign(bytes)
            .as_ref()
            .try_into()
            .expect("Ed25519 signatures have 64 bytes")
    }

    /// The live key's id.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What everybody may have: the live key and the retired ones.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.public_keys.iter().map(|key| (*key).into()).collect(),
        }
    }

    pub(super) fn public_keys(&self) -> &[PublicKey] {
        &self.public_keys
    }
}

fn encoded(part: &impl Serialize) -> String {
    let json = serde_json::to_vec(part).expect("structs with text keys serialize");
    BASE64_URL_SAFE_NO_PAD.encode(json)
}
