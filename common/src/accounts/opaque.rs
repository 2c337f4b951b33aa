//! Tokens that say nothing by themselves: a prefix and 256 random bits, which the database knows by their
//! digest alone.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::ids::random_hex;

/// Hexadecimal digits of 256 bits.
const DIGITS: usize = 64;

macro_rules! opaque_token {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// A token that nobody has had.
            pub fn generate() -> Self {
                Self(format!("{}{}", $prefix, random_hex::<32>()).into())
            }

            /// Accepts text of a token's shape.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                let is_token = digits.len() == DIGITS
                    && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                is_token.then(|| Self(text.into()))
            }

            /// The whole token.
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }

            /// What finds it in the database.
            pub fn digest(&self) -> Vec<u8> {
                Sha256::digest(self.expose().as_bytes()).to_vec()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

opaque_token!(/// A refresh token in clear: `rt_` and 256 random bits.
    RefreshToken, "rt_");
opaque_token!(/// The token of a device that signed in before, in clear: `dt_` and 256 random bits. It opens nothing: it
    /// only keeps what strangers guess from being counted against this device.
    DeviceToken, "dt_");
