//! The provider's webhooks: is it really the provider, and what is it about?
//!
//! `Stripe-Signature: t=<Unix seconds>,v1=<hex>[,v1=<hex>…]`, where each `v1` is the HMAC-SHA256 of
//! `<t>.<raw body>` under one of the endpoint's secrets; other schemes are skipped
//! (<https://docs.stripe.com/webhooks#verify-manually>). An event comes at least once and in any
//! order: its id tells repetitions apart, and what it says is only a hint to retrieve the intent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

/// The header of the signature.
pub const SIGNATURE_HEADER: &str = "stripe-signature";
/// How far the signing time may lie from our clock, either way.
pub const TOLERANCE_SECONDS: i64 = 300;
/// Signatures looked at in one header; while a secret is rolled there are two.
const SIGNATURES_MAX: usize = 16;

/// What a thin event calls itself (<https://docs.stripe.com/event-destinations#events-overview>). It names what it
/// is about and does not show it.
const THIN_EVENT: &str = "v2.core.event";
/// Names at the provider: of events, of their types, of payments.
const NAME_BYTES_MAX: usize = 255;

/// Something that happened at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    /// Such as `payment_intent.succeeded`.
    pub kind: String,
    pub created: DateTime<Utc>,
    /// The payment it is about, if it is about one.
    pub intent_id: Option<String>,
    /// What we said of that payment when it was created, if the event shows it.
    pub metadata: BTreeMap<String, String>,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// Not `t=<seconds>,v1=<hex>`.
    #[error("the signature header is malformed")]
    Header,
    /// Nobody who knows the secret signed this.
    #[error("no signature matches")]
    Signature,
    /// Signed, but too long ago or too far ahead: perhaps a replay.
    #[error("the signature is outside the tolerance of {TOLERANCE_SECONDS} s")]
    Stale,
    /// Signed, but not an event.
    #[error("the body is no event")]
    Body,
}

#[derive(Deserialize)]
struct EventBody {
    id: String,
    object: String,
    r#type: String,
    created: Value,
    #[serde(default)]
    data: EventData,
    /// What a thin event is about.
    #[serde(default)]
    related_object: Value,
}

#[derive(Default, Deserialize)]
struct EventData {
    #[serde(default)]
    object: Value,
}

/// Verifies the signature over the raw body, in constant time, and reads the event.
pub fn verify(
    secret: &SecretString,
    header: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Event, WebhookError> {
    let (signed_at, signatures) = parse(header)?;
    let mut code = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    code.update(signed_at.as_bytes());
    code.update(b".");
    code.update(body);
    let expected = hex::encode(code.finalize().into_bytes());
    let matches = |signature: &String| bool::from(signature.as_bytes().ct_eq(expected.as_bytes()));
    if !signatures.iter().any(matches) {
        return Err(WebhookError::Signature);
    }
    let seconds: i64 = signed_at.parse().map_err(|_| WebhookError::Header)?;
    if now.timestamp().abs_diff(seconds) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(WebhookError::Stale);
    }
    read(body).ok_or(WebhookError::Body)
}

/// The time as it was signed, and the signatures of the one scheme that counts.
fn parse(header: &str) -> Result<(&str, Vec<String>), WebhookError> {
    let mut signed_at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", seconds)) if signed_at.is_some_and(|before| before != seconds) => {
                return Err(WebhookError::Header);
            }
            Some(("t", seconds)) => signed_at = Some(seconds),
            Some(("v1", signature)) if signatures.len() < SIGNATURES_MAX => {
                signatures.push(signature.to_ascii_lowercase());
            }
            Some(_) => {}
            None => return Err(WebhookError::Header),
        }
    }
    let signed_at = signed_at
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or(WebhookError::Header)?;
    Ok((signed_at, signatures))
}

fn read(body: &[u8]) -> Option<Event> {
    let body: EventBody = serde_json::from_slice(body).ok()?;
    let created = match (body.object.as_str(), &body.created) {
        ("event", Value::Number(seconds)) => DateTime::from_timestamp(seconds.as_i64()?, 0)?,
        (THIN_EVENT, Value::String(text)) => text.parse().ok()?,
        _ => return None,
    };
    if !is_name(&body.id) || !is_name(&body.r#type) {
        return None;
    }
    let subject = &body.data.object;
    // Charges, refunds and disputes name their payment in a field.
    let name = if subject["object"] == "payment_intent" {
        "id"
    } else {
        "payment_intent"
    };
    let metadata = subject["metadata"].as_object().filter(|_| name == "id");
    let texts = metadata
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let related = &body.related_object;
    let is_related = related["type"] == "payment_intent";
    let intent_id = match is_related {
        true => &related["id"],
        false => &subject[name],
    };
    let intent_id = intent_id.as_str().filter(|text| is_name(text));
    Some(Event {
        intent_id: intent_id.map(str::to_owned),
        metadata: texts.collect(),
        id: body.id,
        kind: body.r#type,
        created,
    })
}

/// Whether it may be something's name at the provider, which we keep.
fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","created":1686089970,"type":"payment_intent.succeeded","data":{"object":{"id":"pi_3MtwBwLkdIwHu7ix28a3tqPa","object":"payment_intent"}}}"#;
    const SIGNED_AT: i64 = 1_686_089_971;
    // printf '1686089971.<BODY>' | openssl dgst -sha256 -hmac whsec_test_secret
    const SIGNATURE: &str = "1bcebee5bce819957a5b6c2aeb9150b1f6a33aaea69041c3f264de519ee59b98";
    // printf '1686089971.<BODY>' | openssl dgst -sha256 -hmac whsec_older_secret
    const OLDER_SIGNATURE: &str =
        "1b7eb49a7ca2758b7a6f4a1786941143a5e31c9fd369275b19657d3dabd248e1";

    fn verify_with(secret: &str, header: &str, now: i64) -> Result<Event, WebhookError> {
        let now = DateTime::from_timestamp(now, 0).expect("a time");
        verify(&secret.into(), header, BODY, now)
    }

    fn verify_at(now: i64) -> Result<Event, WebhookError> {
        let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
        verify_with("whsec_test_secret", &header, now)
    }

    /// A header that is right for any body.
    fn header_for(body: &[u8]) -> String {
        let mut code = Hmac::<Sha256>::new_from_slice(b"whsec_test_secret").expect("any length");
        code.update(format!("{SIGNED_AT}.").as_bytes());
        code.update(body);
        format!(
            "t={SIGNED_AT},v1={}",
            hex::encode(code.finalize().into_bytes())
        )
    }

    fn verify_body(body: &[u8], header: &str) -> Result<Event, WebhookError> {
        let now = DateTime::from_timestamp(SIGNED_AT, 0).expect("a time");
        verify(&"whsec_test_secret".into(), header, body, now)
    }

    #[test]
    fn what_openssl_signed_is_believed_and_read() {
        let event = verify_at(SIGNED_AT).expect("an event");
        assert_eq!(
            event,
            Event {
                id: "evt_1NG8Du2eZvKYlo2CUI79vXWy".to_owned(),
                kind: "payment_intent.succeeded".to_owned(),
                created: DateTime::from_timestamp(1_686_089_970, 0).expect("a time"),
                intent_id: Some("pi_3MtwBwLkdIwHu7ix28a3tqPa".to_owned()),
                metadata: BTreeMap::new(),
            }
        );
    }

    #[test]
    fn one_of_two_signatures_is_enough_while_a_secret_is_rolled() {
        for header in [
            format!("t={SIGNED_AT},v1={OLDER_SIGNATURE},v1={SIGNATURE}"),
            format!("t={SIGNED_AT},v1={SIGNATURE},v1={OLDER_SIGNATURE},v0=abc"),
            // As a header on two lines is joined.
            format!("t={SIGNED_AT},v1={SIGNATURE},t={SIGNED_AT},v1={OLDER_SIGNATURE}"),
            format!(
                "t={SIGNED_AT},v1={},v1={}",
                SIGNATURE.to_uppercase(),
                OLDER_SIGNATURE.to_uppercase()
            ),
        ] {
            for secret in ["whsec_test_secret", "whsec_older_secret"] {
                assert!(verify_with(secret, &header, SIGNED_AT).is_ok(), "{header}");
            }
        }
    }

    #[test]
    fn another_secret_or_scheme_is_refused() {
        let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
        let wrong_secret = verify_with("whsec_other", &header, SIGNED_AT);
        assert_eq!(wrong_secret, Err(WebhookError::Signature));
        for header in [
            format!("t={SIGNED_AT},v0={SIGNATURE}"),
            format!("t={SIGNED_AT}"),
            format!("t={SIGNED_AT},v1="),
            format!("t={SIGNED_AT},v1={}", &SIGNATURE[..63]),
            format!("t={},v1={SIGNATURE}", SIGNED_AT + 1),
        ] {
            let refused = verify_with("whsec_test_secret", &header, SIGNED_AT);
            assert_eq!(refused, Err(WebhookError::Signature), "{header}");
        }
    }

    #[test]
    fn a_header_of_another_shape_is_malformed() {
        for header in [
            String::new(),
            SIGNATURE.to_owned(),
            format!("v1={SIGNATURE}"),
            format!("t=,v1={SIGNATURE}"),
            format!("t=+{SIGNED_AT},v1={SIGNATURE}"),
            format!("t={SIGNED_AT},t={},v1={SIGNATURE}", SIGNED_AT + 1),
        ] {
            let refused = verify_with("whsec_test_secret", &header, SIGNED_AT);
            assert_eq!(refused, Err(WebhookError::Header), "{header}");
        }
    }

    #[test]
    fn a_signature_is_believed_for_five_minutes_either_way() {
        for now in [SIGNED_AT - 300, SIGNED_AT + 300] {
            assert!(verify_at(now).is_ok(), "{now}");
        }
        for now in [SIGNED_AT - 301, SIGNED_AT + 301, 0] {
            assert_eq!(verify_at(now), Err(WebhookError::Stale), "{now}");
        }
    }

    #[test]
    fn an_event_about_a_charge_names_its_payment_and_others_name_none() {
        for (subject, intent) in [
            (
                r#"{"id":"ch_1","object":"charge","payment_intent":"pi_1"}"#,
                Some("pi_1"),
            ),
            (
                r#"{"id":"ch_1","object":"charge","payment_intent":null}"#,
                None,
            ),
            (r#"{"id":"cus_1","object":"customer"}"#, None),
        ] {
            let body = format!(
                r#"{{"id":"evt_1","object":"event","created":1,"type":"x","data":{{"object":{subject}}}}}"#
            );
            let event = verify_body(body.as_bytes(), &header_for(body.as_bytes()));
            assert_eq!(event.expect("an event").intent_id.as_deref(), intent);
        }
    }

    #[test]
    fn a_thin_event_names_its_payment() {
        let body = br#"{"id":"evt_1","object":"v2.core.event","created":"2026-09-17T06:20:52.246Z","type":"v1.x",
            "livemode":false,"related_object":{"id":"pi_1","type":"payment_intent","url":"/v1/payment_intents/pi_1"}}"#;
        let event = verify_body(body, &header_for(body)).expect("an event");
        assert_eq!(event.intent_id.as_deref(), Some("pi_1"));
        assert_eq!(event.created.timestamp(), 1_789_626_052);
    }

    #[test]
    fn a_signed_name_that_no_database_keeps_is_no_name() {
        let long = "x".repeat(256);
        for name in ["", "a\\u0000b", "a b", "ä", "\\ud800", &long] {
            let about = format!(
                r#"{{"id":"evt_1","object":"event","created":1,"type":"x","data":{{"object":{{"object":"payment_intent","id":"{name}"}}}}}}"#
            );
            let event = verify_body(about.as_bytes(), &header_for(about.as_bytes()));
            assert!(
                event.map_or(true, |event| event.intent_id.is_none()),
                "{name}"
            );
            let called = format!(
                r#"{{"id":"{name}","object":"event","created":1,"type":"x","data":{{"object":{{}}}}}}"#
            );
            let refused = verify_body(called.as_bytes(), &header_for(called.as_bytes()));
            assert_eq!(refused, Err(WebhookError::Body), "{name}");
        }
    }

    #[test]
    fn a_signed_body_that_is_no_event_is_refused() {
        for body in [&b""[..], b"{}", b"[1]", b"\xff", br#"{"object":"charge"}"#] {
            let refused = verify_body(body, &header_for(body));
            assert_eq!(refused, Err(WebhookError::Body));
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused(
            position in any::<prop::sample::Index>(), flipped_bits in 1_u8..,
        ) {
            let mut changed = BODY.to_vec();
            changed[position.index(BODY.len())] ^= flipped_bits;
            let refused = verify_body(&changed, &header_for(BODY));
            prop_assert_eq!(refused, Err(WebhookError::Signature));
        }

        #[test]
        fn a_changed_header_is_refused(
            position in any::<prop::sample::Index>(), replacement in "[ -~]",
        ) {
            let header = header_for(BODY);
            let at = position.index(header.len());
            let changed = format!("{}{replacement}{}", &header[..at], &header[at + 1..]);
            prop_assume!(!changed.eq_ignore_ascii_case(&header));
            prop_assert!(verify_body(BODY, &changed).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_of_headers_panic(header in "\\PC*") {
            prop_assert!(verify_body(BODY, &header).is_err());
        }
    }
}
