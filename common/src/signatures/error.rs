//! Why a statement is not believed, and why a set of keys cannot be used.

use thiserror::Error;

use crate::limits::{KEY_SET_BYTES_MAX, SIGNED_STATEMENT_BYTES_MAX};

/// Why a statement is not believed: one variant per cause, in the order in which they are looked for.
#[derive(Debug, Error)]
pub enum SignatureError {
    #[error("it is longer than {SIGNED_STATEMENT_BYTES_MAX} bytes")]
    TooLong,
    /// Not three parts of canonical base64url without padding, or a header that is no JOSE header.
    #[error("it is no JWS in compact form: {0}")]
    Shape(&'static str),
    /// RFC 7515, section 4.1.11: what is critical and not understood must be refused; we understand none.
    #[error("it demands extensions (`crit`), and none is understood")]
    CriticalExtension,
    #[error("its algorithm is {0}, not EdDSA")]
    WrongAlgorithm(String),
    #[error("it is of type {found}, not {expected}")]
    WrongType {
        expected: &'static str,
        found: String,
    },
    /// The key id, empty when the header has none.
    #[error("it is signed with the key \"{0}\", which is not among the known ones")]
    UnknownKey(String),
    #[error("its signature does not match: it was changed, or not signed with this key")]
    BadSignature,
    /// Signed by us, and yet not what is read here.
    #[error("its claims are not those of its type")]
    Claims(#[source] serde_json::Error),
}

/// Why a JWKS cannot be used.
#[derive(Debug, Error)]
pub enum KeySetError {
    #[error("it is longer than {KEY_SET_BYTES_MAX} bytes")]
    TooLong,
    #[error("it is no JSON Web Key Set")]
    Shape(#[source] serde_json::Error),
    #[error("the {}. key is no Ed25519 public key: `x` must be 32 bytes in base64url", position + 1)]
    Key { position: usize },
    #[error("it holds no Ed25519 key for signatures")]
    Empty,
}
