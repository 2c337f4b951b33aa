//! Whom an unpaid purchase binds, who may pay or cancel it, and who hears of that.

use common::reqwest::Method;
use common::webhooks::EventType;
use local::cards::method;
use serde_json::json;
use tests::World;
use tests::cards::card_purchase_of;
use tests::client::send;
use tests::market::purchase_of;

use super::reservations::{TAKEN, ask_without_a_card, cancel, pay, reserve};
use super::sales::{awareness, heard};

/// A request binds nobody: its seller may sell otherwise until somebody pays.
#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_purchase_does_not_bind_the_seller() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let poor = world.buyer("poor", 500).await;
    let asked = ask_without_a_card(&poor.client, &package).await;
    let path = format!("/api/ai/listings/{package}");
    let seen = world.seller.get(&path).await.data();
    let patch = world.seller.request(Method::PATCH, &path);
    let patch = patch.header("if-match", format!("\"{}\"", seen["version"]));
    let changed = send(patch.json(&json!({ "licenseMode": "unlimited" }))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let url = asked.header("location");
    let refused = pay(&poor.client, url, &json!({ "paymentMethod": "credits" })).await;
    assert_eq!(
        refused.details()["reason"],
        "LICENSE_CHANGED",
        "{}",
        refused.text
    );
    let visa = json!({ "paymentMethod": "stripe", "paymentMethodId": method::VISA });
    let failed = pay(&poor.client, url, &visa).await;
    assert_eq!(
        failed.details()["reason"],
        "LICENSE_CHANGED",
        "{}",
        failed.text
    );
    assert_eq!(world.credits(poor.id).await, (1_000, 0));
    world.assert_money_is_right().await;
}

/// Each door has the same lock: an unpaid purchase is paid and cancelled by its buyer, within the budget of
/// the key that pays.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_narrow_keys_neither_pay_nor_cancel() {
    let world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 5_000).await;
    let url = reserve(&buyer, &package).await;
    let credits = json!({ "paymentMethod": "credits" });
    for client in [&world.stranger, &world.seller] {
        assert_eq!(pay(client, &url, &credits).await.status, 404);
        assert_eq!(cancel(client, &url).await.status, 404);
    }
    assert_eq!(pay(&world.anonymous, &url, &credits).await.status, 401);
    assert_eq!(cancel(&world.anonymous, &url).await.status, 401);
    let key = json!({
        "name": "narrow",
        "permissions": ["purchase"],
        "limits": { "budgetDayMinor": 499 },
    });
    let made = buyer.client.post("/api/ai/keys", &key).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let narrow = world
        .anonymous
        .with_token(made.data()["apiKey"].as_str().unwrap());
    let refused = pay(&narrow, &url, &credits).await;
    assert_eq!(
        refused.details()["reason"],
        "BEYOND_BUDGET",
        "{}",
        refused.text
    );
    assert_eq!(pay(&buyer.client, &url, &credits).await.status, 200);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_purchase_is_told_by_webhook_and_operators_cancel_from_a_shell() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 0).await;
    let mut request = card_purchase_of(&package, method::AUTHENTICATION_REQUIRED);
    request["webhookUrl"] = json!(format!("{}/buyer", world.receiver.url()));
    let waiting = buyer.client.purchase(&request).await;
    let id = waiting.data()["purchaseId"].as_str().unwrap().to_owned();
    let said = awareness(&world, &["purchases", "cancel", &id]).await;
    assert_eq!(said, format!("Purchase {id} is cancelled.\n"));
    let failed = EventType::PurchaseFailed.as_str();
    let received = heard(&world, "/buyer", failed).await;
    assert_eq!(received.body["code"], "CANCELED");
    assert_eq!(world.count(TAKEN).await, 0);
    world
        .counts("select count(*) from payments where state = 'canceled'", 1)
        .await;
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_a_reserved_listing_is_notified_once_when_it_is_free() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let url = reserve(&slow, &package).await;
    let by_request = world.buyer("by request", 500).await;
    let mut request = purchase_of(&package);
    request["webhookUrl"] = json!(format!("{}/by-request", world.receiver.url()));
    let refused = by_request.client.purchase(&request).await;
    assert_eq!(refused.details()["reason"], "RESERVED", "{}", refused.text);
    // A dry run watches nothing; a second refusal is no second notification.
    let deaf = world.buyer("deaf", 500).await;
    request["webhookUrl"] = json!(format!("{}/deaf", world.receiver.url()));
    let dry_run = deaf
        .client
        .post("/api/ai/purchase-package?dryRun=true", &request);
    assert_eq!(dry_run.await.status, 409);
    by_request.client.buy(&package).await;
    let by_endpoint = world.buyer("by endpoint", 500).await;
    let endpoint = json!({
        "url": format!("{}/by-endpoint", world.receiver.url()),
        "eventTypes": ["listing.*"],
    });
    let made = by_endpoint
        .client
        .post("/api/ai/webhooks/endpoints", &endpoint)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    world
        .receiver
        .trust_standard_secret(made.data()["secret"].as_str().unwrap());
    assert_eq!(by_endpoint.client.buy(&package).await.status, 409);
    // Nobody can receive anything for this one.
    let silent = world.buyer("silent", 500).await;
    assert_eq!(silent.client.buy(&package).await.status, 409);
    let watchers = "select count(*) from supply_watchers";
    assert_eq!(world.count(watchers).await, 2);

    assert_eq!(cancel(&slow.client, &url).await.status, 200);
    let available = EventType::ListingAvailable.as_str();
    for path in ["/by-request", "/by-endpoint"] {
        let received = heard(&world, path, available).await;
        assert!(received.text.contains(&package), "{}", received.text);
    }
    assert_eq!(world.count(watchers).await, 0);
    let sent = "select count(*) from webhook_events where event_type = 'listing.available'";
    assert_eq!(world.count(sent).await, 2);
    assert_eq!(silent.client.buy(&package).await.status, 200);
    world.assert_money_is_right().await;
}
