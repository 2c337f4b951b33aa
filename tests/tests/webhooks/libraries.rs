//! Real deliveries, verified by the published libraries of other languages; Rust's is asked in
//! `secrets.rs`, and the seed's own snippet in the flows.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use local::receiver::Received;
use serde_json::{Value, json};
use tests::{Sample, World, libraries};

use super::ground::{arrives, path_of, register};

/// A delivery as a receiver hands it to a library.
fn message(received: &Received, secret: &str, keys: &Value) -> Value {
    json!({
        "secret": secret,
        "headers": received.headers,
        "body": received.text,
        "keys": keys,
    })
}

/// The secret of an address that a request named: its API key.
fn secret_of_key(key: &str) -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(key))
}

/// One delivery of each payload mode with a secret that verifies it. The full one is not all ASCII, and
/// two secrets sign it.
async fn deliveries(world: &World) -> Vec<(Received, String)> {
    let full = register(world, "/full", json!({ "eventTypes": ["endpoint.*"] })).await;
    let thin = json!({ "eventTypes": ["upload.*"], "payload": "thin" });
    let thin = register(world, "/thin", thin).await;
    let url = world.webhook_url();
    let request = Sample::vector(201).request_with_webhook(&url);
    let upload = world.seller.upload(&request).await;
    let plain = world.webhook(&upload.upload_id()).await;
    let pointed = arrives(world, "/thin", |_| true).await;
    let rotate = format!("{}/rotate-secret", path_of(&full));
    let rotated = world.seller.post(&rotate, &json!({})).await.data();
    let disable = format!("{}/disable", path_of(&thin));
    let reason = json!({ "reason": "Grüße – 再见 👋" });
    assert_eq!(world.seller.post(&disable, &reason).await.status, 200);
    let told = arrives(world, "/full", |_| true).await;
    let secret = |endpoint: &Value| endpoint["secret"].as_str().unwrap().to_owned();
    vec![
        (plain, secret_of_key(world.seller.token())),
        (pointed, secret(&thin)),
        (told.clone(), secret(&full)),
        (told, secret(&rotated)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn python_and_javascript_verify_what_we_send_and_nothing_else() {
    let world = World::start().await;
    let jwks = world.anonymous.get("/.well-known/jwks.json").await.json();
    let keys = &jwks["keys"];
    let stranger = secret_of_key(world.stranger.token());
    let mut good = Vec::new();
    let mut forged = Vec::new();
    let mut wrong_secret = Vec::new();
    for (received, secret) in deliveries(&world).await {
        good.push(message(&received, &secret, keys));
        wrong_secret.push(message(&received, &stranger, keys));
        let mut changed = received.clone();
        changed.text = changed.text.replacen("\"", "\" ", 1);
        forged.push(message(&changed, &secret, keys));
        let mut replayed = received;
        let other = "msg_00000000000000000000000000000000".to_owned();
        replayed.headers.insert("webhook-id".to_owned(), other);
        forged.push(message(&replayed, &secret, keys));
    }
    let retired = json!([keys[1]]);
    let wrong_key: Vec<Value> = good
        .iter()
        .map(|message| {
            let mut message = message.clone();
            message["keys"] = retired.clone();
            message
        })
        .collect();

    for (messages, v1, v1a) in [
        (&good, true, true),
        (&wrong_secret, false, true),
        (&wrong_key, true, false),
        (&forged, false, false),
    ] {
        let input = json!(messages);
        let python = json!({ "v1": v1 });
        assert_eq!(
            libraries::python("verify.py", &input),
            json!(vec![python; messages.len()])
        );
        let javascript = json!({ "v1": v1, "v1a": v1a });
        assert_eq!(
            libraries::javascript("verify.js", &input),
            json!(vec![javascript; messages.len()])
        );
    }
}
