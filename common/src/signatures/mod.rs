//! Signed statements: what the marketplace says in a form that anybody can check later, offline.
//!
//! A statement is a JWS in compact form (RFC 7515) under Ed25519 (RFC 8037): `alg` is always `EdDSA`,
//! `kid` is the key's thumbprint (RFC 7638), and `typ` names the kind of statement, so that a quote is
//! never read as a receipt. The same claims under the same key give the same bytes. A verifier chooses
//! the key among those it trusts, never from the token, and refuses everything that it need not accept:
//! other algorithms, critical extensions, long tokens, encodings and signatures that are not canonical.
//!
//! It reads no clock: whether a quote still holds is for its reader ([`Quote::is_live_at`]).

mod error;
mod jwks;
mod public_key;
mod quote;
mod receipt;
mod signer;
mod verifier;

pub use error::{KeySetError, SignatureError};
pub use jwks::{Jwk, Jwks};
pub use public_key::PublicKey;
pub use quote::Quote;
pub use receipt::Receipt;
pub use signer::Signer;
pub use verifier::{Verified, Verifier};

/// The one algorithm.
const ALGORITHM: &str = "EdDSA";

/// The three parts of the compact form.
const SEPARATOR: char = '.';

#[cfg(test)]
mod tests;
