//! Receipts: proof of a sale under the published keys, for its two sides.

use common::signatures::{Jwks, Receipt, Verifier};
use serde_json::Value;
use tests::World;
use tests::client::Answer;
use tests::market::purchase_of;

fn path_of(purchase: &Value) -> String {
    let id = purchase["purchaseId"].as_str().unwrap();
    format!("/api/ai/purchases/{id}/receipt")
}

/// What `awareness receipt verify` does with an answer: the published keys, and nothing else of ours.
async fn verified(world: &World, answer: &Answer) -> Receipt {
    let keys = world.anonymous.get("/.well-known/jwks.json").await;
    let verifier = Verifier::try_from(&Jwks::parse(&keys.text).unwrap()).unwrap();
    let token = answer.data()["receipt"].as_str().unwrap().to_owned();
    verifier.verify(Receipt::TYP, &token).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_holds_under_the_published_keys_and_says_what_was_bought() {
    let world = World::start().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 1_000).await;
    let bought = buyer.client.buy(&package).await.data();
    let path = path_of(&bought);
    let answer = buyer.client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let receipt = verified(&world, &answer).await;
    assert_eq!(receipt.iss, tests::world::PUBLIC_BASE_URL);
    assert_eq!(receipt.purchase_id, bought["purchaseId"].as_str().unwrap());
    assert_eq!(receipt.buyer_id, buyer.id);
    assert_eq!(receipt.seller_id, world.seller_id().await);
    assert_eq!(receipt.package_id.as_str(), package);
    assert_eq!(
        (receipt.amount_minor, receipt.price.as_str()),
        (999, "9.99")
    );
    assert_eq!(receipt.package_sha256, bought["packageSha256"]);
    assert_eq!(receipt.w_matrix_sha256, bought["wMatrixSha256"]);
    assert_eq!(receipt.iat, receipt.settled_at.timestamp());
    assert_eq!(receipt.refunded_at, None);
    let mut shown = answer.data();
    shown.as_object_mut().unwrap().remove("receipt");
    assert_eq!(shown, serde_json::to_value(&receipt).unwrap());
    for reader in [&buyer.client, &world.seller] {
        assert_eq!(reader.get(&path).await.text, answer.text);
    }
    let stranger = world.stranger.get(&path).await;
    assert_eq!(stranger.fault(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(world.anonymous.get(&path).await.status, 401);
    let unknown = buyer.client.get("/api/ai/purchases/pur_1/receipt").await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_claim_has_a_receipt() {
    let world = World::start().await;
    let package = world.package_for(0.0).await;
    let buyer = world.buyer("buyer", 0).await;
    let claimed = buyer.client.buy(&package).await.data();
    let answer = buyer.client.get(&path_of(&claimed)).await;
    assert_eq!(verified(&world, &answer).await.price, "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_settled_has_no_receipt() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.stop_worker().await;
    let post = buyer
        .client
        .request(common::reqwest::Method::POST, "/api/ai/purchase-package")
        .header("prefer", "wait=0")
        .json(&purchase_of(&package));
    let pending = tests::client::send(post).await.data();
    let refused = buyer.client.get(&path_of(&pending)).await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(refused.details()["status"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_of_a_refunded_purchase_says_so() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let bought = buyer.client.buy(&package).await.data();
    let before = buyer.client.get(&path_of(&bought)).await;
    for statement in [
        "update purchases set state = 'refunded', version = version + 1",
        "insert into events (stream, version, event_type, trace) select id, 100, 'purchase.refunded', 'test' from purchases",
    ] {
        assert_eq!(world.force(statement).await, 1);
    }
    let after = buyer.client.get(&path_of(&bought)).await;
    let receipt = verified(&world, &after).await;
    assert!(
        receipt
            .refunded_at
            .is_some_and(|at| at >= receipt.settled_at)
    );
    assert_eq!(
        verified(&world, &before).await.settled_at,
        receipt.settled_at
    );
}
