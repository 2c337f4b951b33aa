//! Idempotency keys of writes whose commands keep no answer: asked again, they answer as they did.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

async fn once(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let post = client.request(Method::POST, path);
    send(post.header("idempotency-key", key).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_quote_is_the_same_quote_and_a_key_has_one() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let body = json!({ "packageType": "vector", "packageId": package });
    let path = "/api/ai/quotes";
    let first = once(&buyer.client, path, "quote-1", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = once(&buyer.client, path, "quote-1", &body).await;
    assert_eq!((again.status, again.data()), (201, first.data()));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(world.count("select count(*) from quotes").await, 1);

    let other = json!({ "packageType": "vector", "packageId": package, "expectedPrice": 5.0 });
    let refused = once(&buyer.client, path, "quote-1", &other).await;
    assert_eq!(refused.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    // The same key of somebody else is another key, and a refusal uses up none.
    let theirs = once(&world.stranger, path, "quote-1", &body).await;
    assert_eq!(
        (theirs.status, theirs.header("idempotent-replayed")),
        (201, "")
    );
    let faulty = json!({ "packageType": "vector" });
    assert_eq!(
        once(&buyer.client, path, "quote-2", &faulty).await.status,
        400
    );
    assert_eq!(
        once(&buyer.client, path, "quote-2", &body).await.status,
        201
    );

    let racing = (0..8).map(|_| once(&buyer.client, path, "quote-3", &body));
    let answers: Vec<Answer> = join_all(racing).await;
    let made = answers.iter().filter(|answer| answer.status == 201);
    let ids: std::collections::BTreeSet<String> = made
        .map(|answer| answer.data()["quoteId"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 201 | 409))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_repeats_is_done_once_and_shows_no_secret_again() {
    let world = World::only_api().await;
    let body = json!({ "user": "grace", "name": "laptop", "permissions": ["upload"] });
    let first = once(&world.operator, "/admin/keys", "key-1", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert!(first.data()["apiKey"].is_string());
    let again = once(&world.operator, "/admin/keys", "key-1", &body).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (201, "true")
    );
    assert_eq!(again.data()["id"], first.data()["id"]);
    assert!(again.data()["apiKey"].is_null(), "{}", again.text);
    let keys = "select count(*) from api_keys where name = 'laptop'";
    assert_eq!(world.count(keys).await, 1);
    let refused = once(&world.seller, "/admin/keys", "key-1", &body).await;
    assert_eq!(refused.status, 401, "nobody else is shown the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_asked_for_again_answers_as_the_first() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let bought = buyer.client.buy(&package).await.data();
    let path = format!(
        "/api/ai/purchases/{}/refund",
        bought["purchaseId"].as_str().unwrap()
    );
    let first = once(&buyer.client, &path, "refund-1", &json!({})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = once(&buyer.client, &path, "refund-1", &json!({})).await;
    assert_eq!((again.status, again.data()), (200, first.data()));
    assert_eq!(again.header("idempotent-replayed"), "true");
}
