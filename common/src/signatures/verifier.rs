//! The one who checks.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::{ALGORITHM, Jwks, KeySetError, PublicKey, SEPARATOR, SignatureError, Signer};
use crate::limits::SIGNED_STATEMENT_BYTES_MAX;

/// Checks statements under the keys it trusts.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// By key id.
    keys: Vec<(String, PublicKey)>,
}

/// A statement that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    pub claims: T,
    /// The thumbprint of the key that signed it.
    pub key_id: String,
}

/// What is read of a protected header; other members are passed over (RFC 7515, section 4), above all
/// those that offer a key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: String,
    #[serde(default)]
    kid: String,
    /// Whether there is a `crit`, whatever stands in it.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

impl From<&Signer> for Verifier {
    fn from(signer: &Signer) -> Self {
        Self::of(signer.public_keys())
    }
}

impl TryFrom<&Jwks> for Verifier {
    type Error = KeySetError;

    /// A key is known by its thumbprint, whatever `kid` the set gives it.
    fn try_from(jwks: &Jwks) -> Result<Self, KeySetError> {
        Ok(Self::of(&jwks.public_keys()?))
    }
}

impl Verifier {
    fn of(keys: &[PublicKey]) -> Self {
        Self {
            keys: keys.iter().map(|key| (key.thumbprint(), *key)).collect(),
        }
    }

    /// The claims of a statement of that type, if it holds.
    pub fn verify<T: DeserializeOwned>(
        &self,
        typ: &'static str,
        token: &str,
    ) -> Result<T, SignatureError> {
        self.open(typ, token).map(|verified| verified.claims)
    }

    /// Like [`Verifier::verify`], and tells the key.
    pub fn open<T: DeserializeOwned>(
        &self,
        typ: &'static str,
        token: &str,
    ) -> Result<Verified<T>, SignatureError> {
        if token.len() > SIGNED_STATEMENT_BYTES_MAX {
            return Err(SignatureError::TooLong);
        }
        let parts: Vec<&str> = token.split(SEPARATOR).collect();
        let [header, claims, signature] = parts[..] else {
            return Err(SignatureError::Shape("it has not three parts"));
        };
        let signed = &token[..token.len() - signature.len() - SEPARATOR.len_utf8()];
        let header = decoded(header, "the header is not in base64url")?;
        let claims = decoded(claims, "the claims are not in base64url")?;
        let signature = decoded(signature, "the signature is not in base64url")?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|_| SignatureError::Shape("the header is no JOSE header"))?;
        let (key_id, key) = self.key_of(header, typ)?;
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(SignatureError::BadSignature);
        }
        let claims = serde_json::from_slice(&claims).map_err(SignatureError::Claims)?;
        Ok(Verified {
            claims,
            key_id: key_id.to_owned(),
        })
    }

    /// The key that the header names, if the header is one that we write.
    fn key_of(
        &self,
        header: Header,
        typ: &'static str,
    ) -> Result<(&str, PublicKey), SignatureError> {
        if header.crit {
            return Err(SignatureError::CriticalExtension);
        }
        if header.alg != ALGORITHM {
            return Err(SignatureError::WrongAlgorithm(header.alg));
        }
        if header.typ != typ {
            return Err(SignatureError::WrongType {
                expected: typ,
                found: header.typ,
            });
        }
        let mut keys = self.keys.iter();
        keys.find(|(key_id, _)| *key_id == header.kid)
            .map(|(key_id, key)| (key_id.as_str(), *key))
            .ok_or(SignatureError::UnknownKey(header.kid))
    }
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

/// The bytes of a part: base64url without padding, its unused bits zero (RFC 7515, section 2).
fn decoded(part: &str, otherwise: &'static str) -> Result<Vec<u8>, SignatureError> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| SignatureError::Shape(otherwise))
}
