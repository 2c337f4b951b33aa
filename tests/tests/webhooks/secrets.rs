//! Secrets: shown once, rotated with an overlap, verified by the published libraries.

use local::receiver::Received;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tests::World;

use super::ground::{ENDPOINTS, arrives, fail_uploads, path_of, register};

fn verifies(received: &Received, secret: &Value) -> bool {
    let mut headers = axum::http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.headers[name].parse().unwrap());
    }
    let library = Webhook::new(secret.as_str().unwrap()).unwrap();
    library.verify(received.text.as_bytes(), &headers).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_kept_sealed() {
    let world = World::only_api().await;
    let headers = json!({ "authorization": "Bearer very-secret-token" });
    let endpoint = register(&world, "/hooks", json!({ "headers": headers })).await;
    let secret = endpoint["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let path = path_of(&endpoint);
    for path in [path.as_str(), ENDPOINTS] {
        let shown = world.seller.get(path).await.text;
        assert!(
            !shown.contains(secret) && !shown.contains("very-secret-token"),
            "{shown}"
        );
        assert!(shown.contains("authorization"), "{shown}");
    }
    let bare = secret.trim_start_matches("whsec_");
    let stored: String = sqlx::query_scalar(
        "select string_agg(row, '')
         from (
             select webhook_secrets::text as row from webhook_secrets
             union all
             select webhook_endpoints::text from webhook_endpoints
         ) as rows",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert!(!stored.contains(bare) && !stored.contains("very-secret-token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_endpoint_signs_with_both_until_the_overlap_is_over() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    let rotate = format!("{}/rotate-secret", path_of(&endpoint));
    let rotated = world
        .seller
        .post(&rotate, &json!({ "overlapSeconds": 3600 }))
        .await
        .data();
    fail_uploads(&world, 1).await;
    let heard = arrives(&world, "/hooks", |_| true).await;
    assert!(verifies(&heard, &endpoint["secret"]));
    assert!(verifies(&heard, &rotated["secret"]));
    let other = json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert!(!verifies(&heard, &other));
    // The newest signs first, and the marketplace's own key last.
    let signatures: Vec<&str> = heard.headers["webhook-signature"].split(' ').collect();
    assert_eq!(signatures.len(), 3);
    assert!(signatures[2].starts_with("v1a,"));

    let at_once = world
        .seller
        .post(&rotate, &json!({ "overlapSeconds": 0 }))
        .await
        .data();
    fail_uploads(&world, 1).await;
    let number = heard.number;
    let heard = arrives(&world, "/hooks", |it| it.number > number).await;
    assert!(verifies(&heard, &at_once["secret"]));
    assert!(!verifies(&heard, &rotated["secret"]) && !verifies(&heard, &endpoint["secret"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_secrets_live_at_most() {
    let world = World::only_api().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    let rotate = format!("{}/rotate-secret", path_of(&endpoint));
    for _ in 0..2 {
        assert_eq!(world.seller.post(&rotate, &json!({})).await.status, 200);
    }
    let full = world.seller.post(&rotate, &json!({})).await;
    assert_eq!(full.details()["reason"], "TOO_MANY_SECRETS");
    let long = world
        .seller
        .post(&rotate, &json!({ "overlapSeconds": 604_801 }))
        .await;
    assert_eq!(long.fault().0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_asymmetric_signature_verifies_with_the_published_key() {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 1).await;
    let heard = arrives(&world, "/hooks", |_| true).await;
    let jwks = world.anonymous.get("/.well-known/jwks.json").await.json();
    let key = BASE64_URL_SAFE_NO_PAD
        .decode(jwks["keys"][0]["x"].as_str().unwrap())
        .unwrap();
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    let signature = heard.headers["webhook-signature"]
        .split(' ')
        .find_map(|it| it.strip_prefix("v1a,"))
        .unwrap();
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    let (id, at) = (
        &heard.headers["webhook-id"],
        &heard.headers["webhook-timestamp"],
    );
    let text = format!("{id}.{at}.{}", heard.text);
    key.verify(text.as_bytes(), &signature).unwrap();
    assert!(key.verify(b"something else", &signature).is_err());
}
