//! Checks both signatures of a webhook, independently of the code that makes them.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use standardwebhooks::{HEADER_WEBHOOK_SIGNATURE, Webhook};

/// The seed's header: lower-case hex of HMAC-SHA256(API key, raw body).
const AWARENESS_SIGNATURE: &str = "x-awareness-signature";

/// What a receiver can say about one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// The header is not there.
    Missing,
    /// One of the known keys made it.
    Valid,
    /// None of the known keys made it.
    Invalid,
}

/// What the senders may sign with.
#[derive(Debug, Default, Clone)]
pub(super) struct Keys {
    pub(super) api_keys: BTreeSet<String>,
    pub(super) standard_secrets: BTreeSet<String>,
}

impl Keys {
    pub(super) fn check_awareness(&self, headers: &HeaderMap, body: &[u8]) -> Signature {
        let Some(sent) = headers.get(AWARENESS_SIGNATURE) else {
            return Signature::Missing;
        };
        // The length and the case are part of the contract, so the text itself is looked at.
        let sent = sent
            .to_str()
            .ok()
            .filter(|text| !text.bytes().any(|byte| byte.is_ascii_uppercase()));
        let Some(sent) = sent.and_then(|text| hex::decode(text).ok()) else {
            return Signature::Invalid;
        };
        verdict(self.api_keys.iter().any(|key| {
            let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
            mac.is_ok_and(|mac| mac.chain_update(body).verify_slice(&sent).is_ok())
        }))
    }

    pub(super) fn check_standard(&self, headers: &HeaderMap, body: &[u8]) -> Signature {
        if !headers.contains_key(HEADER_WEBHOOK_SIGNATURE) {
            return Signature::Missing;
        }
        verdict(self.standard_secrets.iter().any(|secret| {
            Webhook::new(secret).is_ok_and(|webhook| webhook.verify(body, headers).is_ok())
        }))
    }
}

fn verdict(valid: bool) -> Signature {
    if valid {
        Signature::Valid
    } else {
        Signature::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(signature: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            AWARENESS_SIGNATURE.parse().unwrap(),
            signature.parse().unwrap(),
        )])
    }

    #[test]
    fn the_published_example_of_the_hexadecimal_form_verifies_and_nothing_near_it_does() {
        let keys = Keys {
            api_keys: BTreeSet::from(["It's a Secret to Everybody".to_owned()]),
            ..Keys::default()
        };
        let good = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(
            keys.check_awareness(&signed(good), b"Hello, World!"),
            Signature::Valid
        );
        assert_eq!(
            keys.check_awareness(&signed(good), b"Hello, World"),
            Signature::Invalid
        );
        assert_eq!(
            keys.check_awareness(&signed(&good.to_uppercase()), b"Hello, World!"),
            Signature::Invalid
        );
        assert_eq!(
            keys.check_awareness(&signed(&good[..32]), b"Hello, World!"),
            Signature::Invalid
        );
        assert_eq!(
            Keys::default().check_awareness(&signed(good), b"Hello, World!"),
            Signature::Invalid
        );
        assert_eq!(
            keys.check_awareness(&HeaderMap::new(), b"Hello, World!"),
            Signature::Missing
        );
    }
}
