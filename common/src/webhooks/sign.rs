//! Both signatures of a delivery, and their verification in constant time.
//!
//! * Legacy: `X-Awareness-Signature` is the lower-case hex HMAC-SHA256 of the raw body under the API
//!   key's text. It covers the body alone, so it does not stop a replay.
//! * Standard Webhooks 1.0.0: `webhook-signature` lists `v1,` and the base64 HMAC-SHA256 of
//!   `id.timestamp.body` under each live secret, and `v1a,` with the Ed25519 signature of the same
//!   text under the marketplace's key (its public half is in the JWKS), beside `webhook-id` and
//!   `webhook-timestamp`.
//!
//! The bytes that are signed are the bytes that are sent; nothing here serialises.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::secret::WebhookSecret;

/// Header of the legacy signature.
pub const LEGACY_SIGNATURE_HEADER: &str = "x-awareness-signature";
/// Header of the message id: the same over all tries of a delivery.
pub const ID_HEADER: &str = "webhook-id";
/// Header of the time of this try, Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// Header of the space-separated list of Standard Webhooks signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far a timestamp may lie from the receiver's clock, either way.
pub const TOLERANCE_SECONDS: i64 = 5 * 60;

/// Signatures looked at in one header; a sender has at most three live secrets.
const SIGNATURES_MAX: usize = 16;

/// Why a Standard Webhooks signature does not hold.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// The timestamp header is no number of Unix seconds.
    #[error("the webhook timestamp is malformed")]
    Timestamp,
    /// The timestamp is further than [`TOLERANCE_SECONDS`] from the receiver's clock.
    #[error("the webhook timestamp is outside the tolerance")]
    Stale,
    /// No `v1` signature of the header matches.
    #[error("no webhook signature matches")]
    Signature,
}

/// Signs bytes with an Ed25519 key.
pub type SignAsymmetrically<'a> = &'a dyn Fn(&[u8]) -> [u8; 64];

/// What a message is signed with.
#[expect(
    missing_debug_implementations,
    reason = "it borrows a closure and keys for one call"
)]
pub struct Signing<'a> {
    /// Keys the legacy signature.
    pub api_key: &'a SecretString,
    /// Key one `v1` signature each, in this order.
    pub secrets: &'a [WebhookSecret],
    /// Makes the `v1a` signature.
    pub asymmetric: Option<SignAsymmetrically<'a>>,
}

impl Signing<'_> {
    /// The four headers that sign one try. `id` must not contain a dot: the signed text is joined
    /// with dots.
    pub fn headers(
        &self,
        id: &str,
        timestamp_unix_seconds: i64,
        body: &[u8],
    ) -> [(&'static str, String); 4] {
        let mut signatures: Vec<String> = self
            .secrets
            .iter()
            .map(|secret| standard(secret, id, timestamp_unix_seconds, body))
            .collect();
        if let Some(sign) = self.asymmetric {
            let signature = sign(&signed_text(id, timestamp_unix_seconds, body));
            signatures.push(format!("v1a,{}", BASE64_STANDARD.encode(signature)));
        }
        [
            (LEGACY_SIGNATURE_HEADER, legacy(self.api_key, body)),
            (ID_HEADER, id.to_owned()),
            (TIMESTAMP_HEADER, timestamp_unix_seconds.to_string()),
            (SIGNATURE_HEADER, signatures.join(" ")),
        ]
    }
}

/// What the standard signatures cover: `id.timestamp.body`.
fn signed_text(id: &str, timestamp_unix_seconds: i64, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{id}.{timestamp_unix_seconds}.").into_bytes();
    text.extend_from_slice(body);
    text
}

/// The value of `X-Awareness-Signature`: 64 lower-case hex digits.
pub fn legacy(api_key: &SecretString, body: &[u8]) -> String {
    hex::encode(authenticate(api_key.expose_secret().as_bytes(), body))
}

/// Whether `signature` is the legacy signature of `body`, compared in constant time.
pub fn verify_legacy(api_key: &SecretString, body: &[u8], signature: &str) -> bool {
    legacy(api_key, body)
        .as_bytes()
        .ct_eq(signature.as_bytes())
        .into()
}

/// One Standard Webhooks signature, `v1,<base64>`.
pub fn standard(
    secret: &WebhookSecret,
    id: &str,
    timestamp_unix_seconds: i64,
    body: &[u8],
) -> String {
    let code = authenticate(
        secret.bytes(),
        &signed_text(id, timestamp_unix_seconds, body),
    );
    format!("v1,{}", BASE64_STANDARD.encode(code))
}

/// Verifies the three Standard Webhooks headers over `body` as a receiver does.
pub fn verify_standard(
    secret: &WebhookSecret,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now_unix_seconds: i64,
) -> Result<(), VerifyError> {
    let timestamp_seconds: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    let distance_seconds = now_unix_seconds.abs_diff(timestamp_seconds);
    if distance_seconds > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(VerifyError::Stale);
    }
    let expected = standard(secret, id, timestamp_seconds, body);
    let matches = |candidate: &str| bool::from(candidate.as_bytes().ct_eq(expected.as_bytes()));
    if signatures.split(' ').take(SIGNATURES_MAX).any(matches) {
        Ok(())
    } else {
        Err(VerifyError::Signature)
    }
}

fn authenticate(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    code.update(text);
    code.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use proptest::prelude::*;
    use reqwest::header::HeaderMap;

    use super::*;

    const API_KEY: &str = "ak_ai_0123456789abcdef0123456789abcdef";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED_AT: i64 = 1_614_265_330;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";

    fn published_secret() -> WebhookSecret {
        WebhookSecret::parse(&SecretString::from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap()
    }

    fn verify_at(now: i64, signatures: &str) -> Result<(), VerifyError> {
        let timestamp = SIGNED_AT.to_string();
        verify_standard(&published_secret(), ID, &timestamp, signatures, BODY, now)
    }

    #[test]
    fn the_legacy_signature_gives_the_known_answer() {
        let key = SecretString::from("It's a Secret to Everybody");
        let signature = legacy(&key, b"Hello, World!");
        assert_eq!(
            signature,
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
        assert!(verify_legacy(&key, b"Hello, World!", &signature));
        assert!(!verify_legacy(&key, b"Hello, World?", &signature));
        assert!(!verify_legacy(
            &key,
            b"Hello, World!",
            &signature.to_uppercase()
        ));
        assert!(!verify_legacy(&key, b"Hello, World!", ""));
    }

    #[test]
    fn the_standard_signature_gives_the_known_answer() {
        assert_eq!(
            standard(&published_secret(), ID, SIGNED_AT, BODY),
            SIGNATURE
        );
        assert_eq!(verify_at(SIGNED_AT, SIGNATURE), Ok(()));
    }

    #[test]
    fn one_matching_signature_in_the_list_is_enough() {
        let listed = format!("v1a,AAAA v1,AAAA {SIGNATURE}");
        assert_eq!(verify_at(SIGNED_AT, &listed), Ok(()));
        assert_eq!(verify_at(SIGNED_AT, "v1,AAAA"), Err(VerifyError::Signature));
        assert_eq!(verify_at(SIGNED_AT, ""), Err(VerifyError::Signature));
    }

    #[test]
    fn a_signature_outside_the_tolerance_is_stale() {
        assert_eq!(verify_at(SIGNED_AT + 300, SIGNATURE), Ok(()));
        assert_eq!(verify_at(SIGNED_AT - 300, SIGNATURE), Ok(()));
        for now in [SIGNED_AT + 301, SIGNED_AT - 301, i64::MIN, i64::MAX] {
            assert_eq!(verify_at(now, SIGNATURE), Err(VerifyError::Stale));
        }
    }

    #[test]
    fn our_headers_verify_with_the_reference_library_and_its_signature_with_ours() {
        let key = SecretString::from(API_KEY);
        let secret = WebhookSecret::from_api_key(&key).unwrap();
        let library = standardwebhooks::Webhook::new(secret.to_text().expose_secret()).unwrap();
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(elapsed.as_secs()).unwrap();

        let signing = Signing {
            api_key: &key,
            secrets: &[published_secret(), secret.clone()],
            asymmetric: Some(&|_| [7; 64]),
        };
        let mut received = HeaderMap::new();
        for (name, value) in signing.headers(ID, now, BODY) {
            received.insert(name, value.parse().unwrap());
        }
        library.verify(BODY, &received).unwrap();
        assert!(library.verify(b"{}", &received).is_err());

        let theirs = library.sign(ID, now, BODY).unwrap();
        let verdict = verify_standard(&secret, ID, &now.to_string(), &theirs, BODY, now);
        assert_eq!(verdict, Ok(()));
    }

    proptest! {
        #[test]
        fn a_changed_body_id_or_time_breaks_the_signature(
            body in prop::collection::vec(any::<u8>(), 1..200),
            position in any::<prop::sample::Index>(),
            flipped_bits in 1_u8..,
            now in 0_i64..4_000_000_000,
        ) {
            let secret = published_secret();
            let key = SecretString::from(API_KEY);
            let signature = standard(&secret, ID, now, &body);
            let later = (now + 1).to_string();
            let now_text = now.to_string();
            let check = |id: &str, time: &str, body: &[u8]| {
                verify_standard(&secret, id, time, &signature, body, now)
            };
            prop_assert_eq!(check(ID, &now_text, &body), Ok(()));
            prop_assert_eq!(check("msg_other", &now_text, &body), Err(VerifyError::Signature));
            prop_assert_eq!(check(ID, &later, &body), Err(VerifyError::Signature));

            let mut changed = body.clone();
            changed[position.index(body.len())] ^= flipped_bits;
            prop_assert_eq!(check(ID, &now_text, &changed), Err(VerifyError::Signature));
            prop_assert!(!verify_legacy(&key, &changed, &legacy(&key, &body)));
        }
    }
}
