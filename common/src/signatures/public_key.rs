//! An Ed25519 public key: its thumbprint, and the strict verification under it.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

/// The y coordinates of the eight points of small order, little-endian, the sign of x left out: a key
/// among them accepts signatures that nobody made.
const SMALL_ORDER: [&str; 5] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
/// The last byte without the bit that is the sign of x.
const SIGN_OF_X: u8 = 0x80;

/// A public key, which may be any 32 bytes: one that is no key verifies nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.0))
    }
}

impl PublicKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From the `x` of a JWK: canonical base64url without padding.
    pub(super) fn from_base64url(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The `x` of a JWK.
    pub(super) fn to_base64url(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The JWK thumbprint: SHA-256 over the required members in lexical order (RFC 7638, RFC 8037
    /// section 2), in base64url.
    pub fn thumbprint(self) -> String {
        let members = format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            self.to_base64url()
        );
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    /// Whether the message was signed with this key. Strict: the signature's scalar is reduced and its
    /// point canonical (both checked by ring), and the key is a canonical point of large order.
    pub(super) fn verifies(self, message: &[u8], signature: &[u8]) -> bool {
        !self.is_weak()
            && UnparsedPublicKey::new(&ED25519, self.0)
                .verify(message, signature)
                .is_ok()
    }

    /// Of small order, or one of the 19 encodings of y that are not below the prime 2^255 - 19.
    fn is_weak(self) -> bool {
        let mut y = self.0;
        y[31] &= !SIGN_OF_X;
        let is_unreduced = y[0] >= 0xed && y[1..31] == [0xff; 30] && y[31] == 0x7f;
        is_unreduced || SMALL_ORDER.contains(&hex::encode(y).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The neutral point and a scalar of zero: what a key of small order accepts now and then.
    fn signature_of_nobody() -> [u8; 64] {
        let mut signature = [0; 64];
        signature[0] = 1;
        signature
    }

    #[test]
    fn a_key_of_small_order_accepts_what_nobody_signed_and_is_refused() {
        for y in SMALL_ORDER {
            let mut bytes = [0; 32];
            hex::decode_to_slice(y, &mut bytes).expect("32 bytes");
            let raw = UnparsedPublicKey::new(&ED25519, bytes);
            let forged = (0..=255_u8).find(|message| {
                let accepted = raw.verify(&[*message], &signature_of_nobody());
                accepted.is_ok()
            });
            let forged = forged.expect("the curve alone accepts a forgery");
            let key = PublicKey::new(bytes);
            assert!(!key.verifies(&[forged], &signature_of_nobody()), "{y}");
            bytes[31] |= SIGN_OF_X;
            assert!(PublicKey::new(bytes).is_weak(), "{y}");
        }
    }

    #[test]
    fn an_encoding_above_the_prime_is_refused() {
        let mut bytes = [0xff; 32];
        for (low, expected) in [(0xec, true), (0xed, true), (0xff, true), (0xeb, false)] {
            bytes[0] = low;
            assert_eq!(PublicKey::new(bytes).is_weak(), expected, "{low:x}");
        }
    }
}
