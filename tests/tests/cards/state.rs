//! The sandbox remembers, shows what it knows, and takes its place in a world.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::cards::IntentStatus;
use common::reqwest;
use futures::future::join_all;
use local::cards::{Outcome, Sandbox, SandboxError, SandboxOptions, method};
use serde_json::Value;
use tests::World;

use super::ground::{assert_charged_once, client, payment, post, sandbox};

async fn kept_in(path: &Path) -> Result<Sandbox, SandboxError> {
    Sandbox::start(SandboxOptions {
        file: Some(path.to_owned()),
        ..SandboxOptions::default()
    })
    .await
}

#[tokio::test]
async fn payments_charges_and_keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cards.json");
    let first = kept_in(&path).await.unwrap();
    let cards = client(&first.card_config());
    let paid = cards
        .create_intent(&payment(method::VISA, "paid"))
        .await
        .unwrap();
    let late = cards
        .create_intent(&payment(method::LATE, "late"))
        .await
        .unwrap();
    let known = (first.charges(), first.intents());
    first.stop().await;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds client secrets");

    let second = kept_in(&path).await.unwrap();
    assert_eq!((second.charges(), second.intents()), known);
    let cards = client(&second.card_config());
    let replayed = cards
        .create_intent(&payment(method::VISA, "paid"))
        .await
        .unwrap();
    assert_eq!(replayed.id, paid.id);
    assert_charged_once(&second, &replayed);
    second.release(&late.id, Outcome::Succeed).await.unwrap();
    assert_eq!(second.charges().len(), 2);
}

#[tokio::test]
async fn an_answer_is_on_disk_before_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cards.json");
    let sandbox = kept_in(&path).await.unwrap();
    let cards = client(&sandbox.card_config());
    let keys: Vec<String> = (0..16).map(|number| format!("key {number}")).collect();
    let payments = keys.iter().map(|key| async {
        let paid = cards
            .create_intent(&payment(method::VISA, key))
            .await
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&paid.id), "{} is not kept", paid.id);
    });
    join_all(payments).await;
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cards.json");
    std::fs::write(&path, "{\"intents\":").unwrap();
    let error = kept_in(&path).await.unwrap_err();
    assert!(matches!(error, SandboxError::Damaged { .. }), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"intents\":");
}

#[tokio::test]
async fn the_control_endpoints_complete_a_payment_and_show_everything_but_secrets() {
    let (sandbox, cards) = sandbox().await;
    let late = cards
        .create_intent(&payment(method::LATE, "late"))
        .await
        .unwrap();
    let path = format!("/sandbox/payment_intents/{}/complete", late.id);
    assert_eq!(post(&sandbox, &path, "outcome=perhaps").await.0, 400);
    let (status, intent) = post(&sandbox, &path, "outcome=succeed").await;
    assert_eq!(
        (status, intent["status"].as_str()),
        (200, Some("succeeded"))
    );
    assert_eq!(
        post(&sandbox, &path, "outcome=fail").await.0,
        400,
        "it is paid"
    );

    let url = format!("{}/sandbox/payment_intents", sandbox.url());
    let shown: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(shown["charges"][0]["paymentIntent"], late.id.as_str());
    assert_eq!(shown["charges"][0]["amountMinor"], 2000);
    assert_eq!(shown["paymentIntents"][0]["id"], late.id.as_str());
    assert!(!shown.to_string().contains("_secret_"), "{shown}");
}

#[tokio::test]
async fn unknown_parameters_and_paths_are_refused_as_the_provider_does() {
    let (sandbox, _) = sandbox().await;
    let known = "amount=2000&currency=usd";
    for (path, form, status) in [
        ("/v1/payment_intents", format!("{known}&colour=red"), 400),
        ("/v1/payment_intents", format!("{known}&confirm=true"), 400),
        ("/v1/payment_intents", "currency=usd".to_owned(), 400),
        ("/v1/charges", known.to_owned(), 404),
        ("/v1/payment_intents/pi_0/capture", String::new(), 404),
    ] {
        let (answered, body) = post(&sandbox, path, &form).await;
        assert_eq!(answered, status, "{path} {form}");
        assert_eq!(body["error"]["type"], "invalid_request_error");
    }
    assert_eq!(sandbox.intents(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_with_cards_has_a_provider_of_its_own() {
    let world = World::with_cards().await;
    let cards = client(&world.cards().card_config());
    let paid = cards
        .create_intent(&payment(method::VISA, "key"))
        .await
        .unwrap();
    assert_eq!(paid.status, IntentStatus::Succeeded);
    assert_charged_once(world.cards(), &paid);
}
