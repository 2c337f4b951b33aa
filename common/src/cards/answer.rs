//! From a status and a body to one decision. Pure.
//!
//! The statuses and error types are those of <https://docs.stripe.com/api/errors>. Only what is
//! documented to have done nothing counts as a failure; everything else is a doubt.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::error::{CardError, Doubt};
use super::model::{Decline, Intent, IntentStatus};

/// A PaymentIntent, as far as we read it.
#[derive(Deserialize)]
struct IntentBody {
    id: String,
    object: String,
    status: String,
    client_secret: Option<String>,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    last_payment_error: Option<Decline>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct FaultBody {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    r#type: String,
    payment_intent: Option<IntentBody>,
    /// The parameter that the fault is about.
    param: Option<String>,
    #[serde(flatten)]
    decline: Decline,
}

/// What an answer means, whose good body is read so.
pub(super) fn judge<T>(
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
    read: fn(&[u8]) -> Option<T>,
) -> Result<T, CardError> {
    let unreadable = || CardError::Unknown(Doubt::Unreadable(status));
    match status {
        200..300 => read(body).ok_or_else(unreadable),
        409 => Err(CardError::Unknown(Doubt::UnderWay)),
        429 => Err(CardError::RateLimited { retry_after }),
        // The provider's own fault, or that of what it depends on.
        408 | 424 => Err(CardError::Unknown(Doubt::Status(status))),
        400..500 => {
            let body: FaultBody = serde_json::from_slice(body).map_err(|_| unreadable())?;
            Err(judge_fault(status, body.error))
        }
        _ => Err(CardError::Unknown(Doubt::Status(status))),
    }
}

fn judge_fault(status: u16, fault: Fault) -> CardError {
    match (status, fault.r#type.as_str()) {
        (402, "card_error") => CardError::Declined {
            intent: fault.payment_intent.and_then(intent).map(Box::new),
            decline: fault.decline,
        },
        (_, "idempotency_error") => CardError::IdempotencyConflict,
        (_, "api_error") => CardError::Unknown(Doubt::Status(status)),
        (400 | 404, _)
            if fault.param.as_deref() == Some("payment_method")
                && fault.decline.code.as_deref() == Some("resource_missing") =>
        {
            CardError::MethodUnknown
        }
        _ => CardError::Refused {
            status,
            code: fault.decline.code,
            message: fault.decline.message,
        },
    }
}

pub(super) fn read_intent(body: &[u8]) -> Option<Intent> {
    serde_json::from_slice(body).ok().and_then(intent)
}

/// Nothing if the object is another: a list or a charge is no answer to our question.
fn intent(body: IntentBody) -> Option<Intent> {
    (body.object == "payment_intent").then(|| Intent {
        id: body.id,
        status: IntentStatus::from(body.status),
        client_secret: body.client_secret.map(Into::into),
        amount_minor: body.amount,
        amount_received_minor: body.amount_received,
        currency: body.currency,
        last_error: body.last_payment_error,
        metadata: body.metadata,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;
    use serde_json::{Value, json};

    use super::*;

    fn intent_json() -> Value {
        json!({
            "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
            "object": "payment_intent",
            "amount": 2000,
            "amount_received": 2000,
            "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH",
            "currency": "usd",
            "last_payment_error": null,
            "metadata": {"purchase": "1"},
            "status": "succeeded",
        })
    }

    fn fault(status: u16, fault: Value) -> CardError {
        let body = json!({"error": fault}).to_string();
        judge(status, None, body.as_bytes(), read_intent).expect_err("no intent")
    }

    #[test]
    fn an_intent_is_read_whole_and_its_secret_is_not_shown() {
        let body = intent_json().to_string();
        let intent = judge(200, None, body.as_bytes(), read_intent).expect("an intent");
        assert_eq!(intent.status, IntentStatus::Succeeded);
        assert_eq!(
            (intent.amount_minor, intent.amount_received_minor),
            (2000, 2000)
        );
        assert_eq!(intent.metadata["purchase"], "1");
        assert!(!format!("{intent:?}").contains("_secret_"));
        let secret = intent.client_secret.expect("a secret");
        assert!(
            secret
                .expose_secret()
                .ends_with("_secret_YrKJUKribcBjcG8HVhfZluoGH")
        );
    }

    #[test]
    fn a_decline_carries_the_banks_reason_and_the_intent() {
        let error = fault(
            402,
            json!({
                "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
                "message": "Your card has insufficient funds.", "payment_intent": intent_json(),
            }),
        );
        let CardError::Declined { intent, decline } = error else {
            panic!("{error:?}")
        };
        assert_eq!(decline.decline_code.as_deref(), Some("insufficient_funds"));
        assert_eq!(intent.expect("an intent").amount_minor, 2000);
    }

    #[test]
    fn a_wrong_request_is_refused_with_its_code() {
        for status in [400, 401, 402, 403, 404] {
            let error = fault(
                status,
                json!({"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}),
            );
            assert!(
                matches!(&error, CardError::Refused { status: s, code: Some(code), message }
                    if *s == status && code == "resource_missing" && message == "No such"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_key_used_for_another_request_is_a_conflict() {
        let error = fault(
            400,
            json!({"type": "idempotency_error", "message": "Keys ..."}),
        );
        assert!(matches!(error, CardError::IdempotencyConflict));
    }

    #[test]
    fn a_fault_of_the_provider_leaves_the_outcome_unknown() {
        for status in [302, 307, 408, 409, 424, 500, 502, 503, 504, 999] {
            let error = fault(status, json!({"type": "api_error", "message": "Sorry"}));
            assert!(
                matches!(error, CardError::Unknown(_)),
                "{status}: {error:?}"
            );
        }
        let error = fault(400, json!({"type": "api_error", "message": "Sorry"}));
        assert!(matches!(error, CardError::Unknown(_)));
    }

    #[test]
    fn a_rate_limit_says_how_long_to_wait_if_the_provider_does() {
        let wait = Some(Duration::from_secs(2));
        let error = judge(429, wait, b"", read_intent).expect_err("no intent");
        assert!(matches!(error, CardError::RateLimited { retry_after } if retry_after == wait));
    }

    #[test]
    fn another_object_than_an_intent_is_unreadable() {
        let mut charge = intent_json();
        charge["object"] = json!("charge");
        let error =
            judge(200, None, charge.to_string().as_bytes(), read_intent).expect_err("no intent");
        assert!(matches!(error, CardError::Unknown(Doubt::Unreadable(200))));
    }

    proptest! {
        /// A cut or foreign body is a doubt, never a failure that could be tried anew.
        #[test]
        fn whatever_cannot_be_read_is_unknown(
            status in prop_oneof![Just(200_u16), Just(400), Just(402), Just(404)],
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = json!({"error": {"type": "card_error", "payment_intent": intent_json()}});
            let whole = whole.to_string();
            let body = &whole.as_bytes()[..cut.index(whole.len())];
            let error = judge(status, None, body, read_intent).expect_err("no intent");
            prop_assert!(matches!(error, CardError::Unknown(Doubt::Unreadable(_))));
        }
    }
}
