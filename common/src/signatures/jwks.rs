//! Public keys as everybody exchanges them: JSON Web Keys and sets of them (RFC 7517, RFC 8037).

use serde::{Deserialize, Serialize};

use super::{ALGORITHM, KeySetError, PublicKey};
use crate::limits::KEY_SET_BYTES_MAX;

const KEY_TYPE: &str = "OKP";
const CURVE: &str = "Ed25519";
const USE: &str = "sig";

/// One key; of a stranger's key, members other than `kty` may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    #[serde(default)]
    pub crv: String,
    /// The public key in base64url.
    #[serde(default)]
    pub x: String,
    /// Its thumbprint.
    #[serde(default)]
    pub kid: String,
    #[serde(default)]
    pub alg: String,
    #[serde(default, rename = "use")]
    pub key_use: String,
}

impl From<PublicKey> for Jwk {
    fn from(key: PublicKey) -> Self {
        Self {
            kty: KEY_TYPE.to_owned(),
            crv: CURVE.to_owned(),
            x: key.to_base64url(),
            kid: key.thumbprint(),
            alg: ALGORITHM.to_owned(),
            key_use: USE.to_owned(),
        }
    }
}

/// A set of keys, as it stands at `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

impl Jwks {
    /// Reads a set from its JSON text.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetError::TooLong);
        }
        serde_json::from_str(text).map_err(KeySetError::Shape)
    }

    /// The keys of it that can verify statements. Others are passed over (RFC 7517, section 5); one
    /// that says it can and is malformed is an error.
    pub(super) fn public_keys(&self) -> Result<Vec<PublicKey>, KeySetError> {
        let is_ours = |key: &Jwk| {
            let fits = |member: &str, expected: &str| member.is_empty() || member == expected;
            key.kty == KEY_TYPE
                && key.crv == CURVE
                && fits(&key.alg, ALGORITHM)
                && fits(&key.key_use, USE)
        };
        let keys: Vec<PublicKey> = self
            .keys
            .iter()
            .enumerate()
            .filter(|(_, key)| is_ours(key))
            .map(|(position, key)| {
                PublicKey::from_base64url(&key.x).ok_or(KeySetError::Key { position })
            })
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(keys)
    }
}
