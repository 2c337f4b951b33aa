//! Each payment method of the sandbox, and the decision that the client makes of it.

use common::cards::{CardError, Decline, Doubt, IntentStatus, NewIntent};
use common::config::CardAccount;
use common::secrecy::ExposeSecret as _;
use common::telemetry::metrics;
use futures::future::join_all;
use local::cards::{Outcome, method};

use super::ground::{
    assert_charged_once, client, impatient, payment, post, sandbox, waiting_payment,
};

#[tokio::test]
async fn a_good_card_is_charged_once_as_asked() {
    let (sandbox, cards) = sandbox().await;
    let metadata = [("purchase", "a=b&c".to_owned())];
    let new = NewIntent {
        metadata: &metadata,
        ..payment(method::VISA, "good")
    };
    let intent = cards.create_intent(&new).await.unwrap();
    assert_eq!(intent.status, IntentStatus::Succeeded);
    assert_eq!(
        (intent.amount_minor, intent.currency.as_str()),
        (2000, "usd")
    );
    assert_eq!(intent.metadata["purchase"], "a=b&c");
    assert_charged_once(&sandbox, &intent);

    let secret = intent.client_secret.clone().unwrap();
    assert!(secret.expose_secret().starts_with(&intent.id));
    for text in [format!("{intent:?}"), format!("{cards:?}")] {
        assert!(!text.contains(secret.expose_secret()), "{text}");
        assert!(!text.contains("sk_test_sandbox"), "{text}");
    }
    let found = cards.retrieve_intent(&intent.id).await.unwrap();
    assert_eq!(found.status, IntentStatus::Succeeded);
    assert_eq!(
        sandbox.intents()[0].description.as_deref(),
        Some("Credits & more")
    );
}

#[tokio::test]
async fn a_declined_card_says_why_charges_nobody_and_stays_declined() {
    let (sandbox, cards) = sandbox().await;
    for (method, decline_code, message) in [
        (
            method::DECLINED,
            "generic_decline",
            "Your card was declined.",
        ),
        (
            method::INSUFFICIENT_FUNDS,
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
    ] {
        let expected = Decline {
            code: Some("card_declined".to_owned()),
            decline_code: Some(decline_code.to_owned()),
            message: message.to_owned(),
        };
        let mut ids = Vec::new();
        for _ in 0..2 {
            let error = cards
                .create_intent(&payment(method, method))
                .await
                .unwrap_err();
            let CardError::Declined { intent, decline } = error else {
                panic!("{error:?}")
            };
            assert_eq!(decline, expected);
            ids.push(intent.unwrap().id);
        }
        assert_eq!(ids[0], ids[1], "the same key, the same payment");
        let intent = cards.retrieve_intent(&ids[0]).await.unwrap();
        assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
        assert_eq!(intent.last_error, Some(expected));
    }
    assert_eq!(sandbox.charges(), []);
    assert_eq!(sandbox.intents().len(), 2);
}

#[tokio::test]
async fn a_payment_without_a_method_waits_for_the_buyer_to_confirm_it() {
    let (sandbox, cards) = sandbox().await;
    let intent = cards
        .create_intent(&waiting_payment("later"))
        .await
        .unwrap();
    assert_eq!(intent.status, IntentStatus::RequiresPaymentMethod);
    assert_eq!(sandbox.charges(), []);

    let path = format!("/v1/payment_intents/{}/confirm", intent.id);
    let declined = format!("payment_method={}", method::DECLINED);
    assert_eq!(post(&sandbox, &path, &declined).await.0, 402);
    assert_eq!(post(&sandbox, &path, "").await.0, 400, "no method is left");
    let good = format!("payment_method={}", method::VISA);
    assert_eq!(post(&sandbox, &path, &good).await.0, 200);
    assert_eq!(post(&sandbox, &path, &good).await.0, 400, "it is paid");

    let intent = cards.retrieve_intent(&intent.id).await.unwrap();
    assert_eq!(
        (&intent.status, &intent.last_error),
        (&IntentStatus::Succeeded, &None)
    );
    assert_charged_once(&sandbox, &intent);
}

#[tokio::test]
async fn a_payment_that_waits_for_buyer_or_bank_ends_as_they_decide() {
    for (method, waiting, failure) in [
        (
            method::AUTHENTICATION_REQUIRED,
            IntentStatus::RequiresAction,
            "payment_intent_authentication_failure",
        ),
        (method::LATE, IntentStatus::Processing, "card_declined"),
    ] {
        let (sandbox, cards) = sandbox().await;
        let good = cards.create_intent(&payment(method, "good")).await.unwrap();
        let bad = cards.create_intent(&payment(method, "bad")).await.unwrap();
        assert_eq!((&good.status, &bad.status), (&waiting, &waiting));
        assert_eq!(sandbox.charges(), []);

        sandbox.release(&good.id, Outcome::Succeed).await.unwrap();
        sandbox.release(&bad.id, Outcome::Fail).await.unwrap();
        sandbox
            .release(&good.id, Outcome::Succeed)
            .await
            .unwrap_err();
        let good = cards.retrieve_intent(&good.id).await.unwrap();
        assert_eq!(good.status, IntentStatus::Succeeded);
        assert_charged_once(&sandbox, &good);
        let bad = cards.retrieve_intent(&bad.id).await.unwrap();
        assert_eq!(bad.status, IntentStatus::RequiresPaymentMethod);
        assert_eq!(bad.last_error.unwrap().code.as_deref(), Some(failure));
    }
}

#[tokio::test]
async fn after_a_timeout_the_outcome_is_unknown_and_a_replay_finds_the_one_charge() {
    let (sandbox, cards) = sandbox().await;
    let new = payment(method::TIMEOUT, "silent");
    let error = impatient(&sandbox).create_intent(&new).await.unwrap_err();
    assert!(
        matches!(error, CardError::Unknown(Doubt::Timeout)),
        "{error:?}"
    );

    let replayed = cards.create_intent(&new).await.unwrap();
    assert_eq!(replayed.status, IntentStatus::Succeeded);
    assert_charged_once(&sandbox, &replayed);
    let retrieved = cards.retrieve_intent(&replayed.id).await.unwrap();
    assert_charged_once(&sandbox, &retrieved);
}

#[tokio::test]
async fn after_a_lost_connection_the_outcome_is_unknown_and_a_replay_finds_the_one_charge() {
    let (sandbox, cards) = sandbox().await;
    let new = payment(method::LOST, "lost");
    let error = cards.create_intent(&new).await.unwrap_err();
    assert!(
        matches!(error, CardError::Unknown(Doubt::Lost(_))),
        "{error:?}"
    );
    assert_eq!(sandbox.charges().len(), 1);

    let replayed = cards.create_intent(&new).await.unwrap();
    assert_eq!(replayed.status, IntentStatus::Succeeded);
    assert_charged_once(&sandbox, &replayed);
}

#[tokio::test]
async fn a_provider_that_is_down_leaves_it_unknown_until_the_same_key_gets_through() {
    let (sandbox, cards) = sandbox().await;
    let new = payment(method::DOWN, "down");
    for _ in 0..2 {
        let error = cards.create_intent(&new).await.unwrap_err();
        assert!(
            matches!(error, CardError::Unknown(Doubt::Status(503))),
            "{error:?}"
        );
    }
    let intent = cards.create_intent(&new).await.unwrap();
    assert_charged_once(&sandbox, &intent);
    let again = cards.create_intent(&new).await.unwrap();
    assert_eq!(again.id, intent.id);
    assert_charged_once(&sandbox, &again);
}

#[tokio::test]
async fn many_copies_of_a_request_at_once_charge_once() {
    let (sandbox, cards) = sandbox().await;
    let new = payment(method::VISA, "many");
    let copies = join_all((0..32).map(|_| cards.create_intent(&new))).await;
    let first = copies[0].as_ref().unwrap();
    for copy in &copies {
        assert_eq!(copy.as_ref().unwrap().id, first.id);
    }
    assert_charged_once(&sandbox, first);
}

#[tokio::test]
async fn a_key_that_belongs_to_another_request_is_a_conflict_and_charges_nobody() {
    let (sandbox, cards) = sandbox().await;
    let first = cards
        .create_intent(&payment(method::VISA, "key"))
        .await
        .unwrap();
    let dearer = NewIntent {
        amount_minor: 2001,
        ..payment(method::VISA, "key")
    };
    let error = cards.create_intent(&dearer).await.unwrap_err();
    assert!(matches!(error, CardError::IdempotencyConflict), "{error:?}");
    assert_charged_once(&sandbox, &first);
}

#[tokio::test]
async fn a_payment_can_be_cancelled_until_it_is_paid() {
    let (sandbox, cards) = sandbox().await;
    let waiting = cards
        .create_intent(&waiting_payment("waits"))
        .await
        .unwrap();
    let cancelled = cards.cancel_intent(&waiting.id).await.unwrap();
    assert_eq!(cancelled.status, IntentStatus::Canceled);
    let paid = cards
        .create_intent(&payment(method::VISA, "paid"))
        .await
        .unwrap();
    for id in [&waiting.id, &paid.id] {
        let error = cards.cancel_intent(id).await.unwrap_err();
        let CardError::Refused { status, code, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(status, 400);
        assert_eq!(code.as_deref(), Some("payment_intent_unexpected_state"));
    }
    assert_charged_once(&sandbox, &paid);
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_providers_code_and_may_be_corrected() {
    let (sandbox, cards) = sandbox().await;
    for (expected, new) in [
        (
            "amount_too_small",
            NewIntent {
                amount_minor: 49,
                ..payment(method::VISA, "key")
            },
        ),
        (
            "amount_too_large",
            NewIntent {
                amount_minor: 100_000_000,
                ..payment(method::VISA, "key")
            },
        ),
        (
            "parameter_invalid_string",
            NewIntent {
                currency: "dollars",
                ..payment(method::VISA, "key")
            },
        ),
    ] {
        let error = cards.create_intent(&new).await.unwrap_err();
        assert!(
            matches!(&error, CardError::Refused { status: 400, code: Some(code), .. } if code == expected),
            "{expected}: {error:?}"
        );
    }
    let nobodys = payment("pm_card_of_nobody", "key");
    let error = cards.create_intent(&nobodys).await.unwrap_err();
    assert!(matches!(error, CardError::MethodUnknown), "{error:?}");
    let error = cards.retrieve_intent("pi_of_nobody").await.unwrap_err();
    assert!(
        matches!(error, CardError::Refused { status: 404, .. }),
        "{error:?}"
    );
    assert_eq!(sandbox.intents(), []);
    // The key is still free: nothing had begun.
    cards
        .create_intent(&payment(method::VISA, "key"))
        .await
        .unwrap();
    assert_eq!(sandbox.charges().len(), 1);
}

#[tokio::test]
async fn a_wrong_secret_key_is_refused() {
    let (sandbox, _) = sandbox().await;
    let mut config = sandbox.card_config();
    config.account = Some(CardAccount {
        secret_key: "sk_test_other".into(),
        webhook_secret: "whsec_other".into(),
    });
    let error = client(&config)
        .create_intent(&payment(method::VISA, "key"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CardError::Refused { status: 401, .. }),
        "{error:?}"
    );
    assert_eq!(sandbox.intents(), []);
}

#[tokio::test]
async fn every_request_is_counted_by_operation_and_outcome() {
    let (_sandbox, cards) = sandbox().await;
    let intent = cards
        .create_intent(&payment(method::VISA, "key"))
        .await
        .unwrap();
    cards.retrieve_intent(&intent.id).await.unwrap();
    cards.cancel_intent(&intent.id).await.unwrap_err();
    let text = metrics().render();
    for series in [
        r#"awareness_card_requests_total{operation="create",outcome="done"}"#,
        r#"awareness_card_requests_total{operation="retrieve",outcome="done"}"#,
        r#"awareness_card_requests_total{operation="cancel",outcome="refused"}"#,
        r#"awareness_card_request_seconds_count{operation="create"}"#,
    ] {
        assert!(text.contains(series), "{series} is missing");
    }
}
