//! Reviews: one of each buyer, verified by the purchase, answered by the seller.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    send(client.request(Method::PUT, path).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_says_once_how_a_package_is_and_may_change_it() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let path = format!("/api/ai/packages/{package}/reviews");
    let (one, other) = (
        world.buyer("one", 500).await,
        world.buyer("other", 500).await,
    );
    let early = put(&one.client, &path, json!({ "rating": 5 })).await;
    assert_eq!(early.fault(), (403, "FORBIDDEN".to_owned()));
    for buyer in [&one, &other] {
        assert_eq!(buyer.client.buy(&package).await.status, 200);
    }
    put(
        &one.client,
        &path,
        json!({ "rating": 2, "text": "Not yet." }),
    )
    .await;
    put(&other.client, &path, json!({ "rating": 4 })).await;
    put(
        &one.client,
        &path,
        json!({ "rating": 5, "text": "Now it is." }),
    )
    .await;
    let data = world.anonymous.get(&path).await.data();
    assert_eq!((&data["count"], &data["rating"]), (&json!(2), &json!(4.5)));
    let of_one = &data["reviews"][1];
    assert_eq!(of_one["text"], "Now it is.");
    assert_eq!(of_one["verifiedPurchase"], true);
    let shown = world
        .anonymous
        .get(&format!("/api/ai/packages/{package}"))
        .await
        .data();
    assert_eq!(
        (&shown["rating"], &shown["reviews"]),
        (&json!(4.5), &json!(2))
    );

    for rating in [json!(0), json!(6), json!(4.5), json!("5")] {
        let refused = put(&one.client, &path, json!({ "rating": rating })).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{rating}"
        );
    }
    assert_eq!(other.client.delete(&path).await.status, 200);
    assert_eq!(other.client.delete(&path).await.status, 404);
    assert_eq!(world.anonymous.get(&path).await.data()["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_answers_and_a_refund_takes_the_mark_away() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let path = format!("/api/ai/packages/{package}/reviews");
    let buyer = world.buyer("buyer", 500).await;
    let bought = buyer.client.buy(&package).await.data();
    put(
        &buyer.client,
        &path,
        json!({ "rating": 1, "text": "Broken." }),
    )
    .await;
    let review = world.anonymous.get(&path).await.data()["reviews"][0].clone();
    let reply = format!(
        "/api/ai/reviews/{}/reply",
        review["reviewId"].as_str().unwrap()
    );
    let body = json!({ "text": "We are sorry." });
    assert_eq!(put(&world.stranger, &reply, body.clone()).await.status, 404);
    assert_eq!(put(&world.seller, &reply, body).await.status, 200);
    let purchase = bought["purchaseId"].as_str().unwrap();
    let refund = buyer
        .client
        .post(&format!("/api/ai/purchases/{purchase}/refund"), &json!({}))
        .await;
    assert_eq!(refund.status, 200, "{}", refund.text);
    let data = world.anonymous.get(&path).await.data();
    assert_eq!(
        (&data["count"], &data["reviews"]),
        (&json!(0), &json!([])),
        "nobody reads it any more"
    );
    let review = buyer.client.get(&path).await.data()["reviews"][0].clone();
    assert_eq!(review["text"], "Broken.", "but its author");
    assert_eq!(review["reply"], "We are sorry.");
    assert_eq!(review["verifiedPurchase"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_counts_once_for_each_account_that_paid() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let path = format!("/api/ai/packages/{package}/star");
    let stars = || async {
        let data = world
            .anonymous
            .get(&format!("/api/ai/packages/{package}"))
            .await
            .data();
        data["stars"].as_i64().unwrap()
    };
    let buyer = world.buyer("buyer", 500).await;
    assert_eq!(buyer.client.buy(&package).await.status, 200);
    for client in [&world.stranger, &world.seller, &buyer.client, &buyer.client] {
        assert_eq!(put(client, &path, json!({})).await.status, 200);
    }
    assert_eq!(stars().await, 1);
    assert_eq!(world.stranger.delete(&path).await.status, 200);
    assert_eq!(stars().await, 1);
    assert_eq!(buyer.client.delete(&path).await.status, 200);
    assert_eq!(stars().await, 0);
    let nobody = send(world.anonymous.request(Method::PUT, &path)).await;
    assert_eq!(nobody.fault(), (401, "UNAUTHORIZED".to_owned()));
}
