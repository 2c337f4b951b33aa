//! Handing a purchase back: once, in time, by its buyer or an operator, and with everything that a
//! settlement gave.

use common::identity::Permission;
use common::reqwest::Method;
use futures::future::join_all;
use serde_json::json;
use tests::World;
use tests::client::send;
use tests::market::purchase_of;

use super::sales::{
    Sale, assert_books_balance, awareness, client_who_may, events, heard, transfers,
};

const SALES: &str = "select (coalesce((select sum(sales) from package_deltas), 0)
                             + (select sum(sales) from packages))::bigint";

/// The finding of domain.md §5 item 7: the original refunds without a look at earlier refunds, leaves
/// the buyer the package, and takes nothing from the seller.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_made_once_takes_the_access_back_and_debits_the_seller() {
    let world = World::start().await;
    let sale = Sale::of(&world, 9.99).await;
    assert_eq!(world.earnings().await, 849);
    assert_eq!(world.count(SALES).await, 1);
    for _ in 0..2 {
        let refunded = sale.refund().await;
        assert_eq!(refunded.status, 200, "{}", refunded.text);
        let data = refunded.data();
        assert_eq!(data["status"], "refunded");
        assert!(data["downloadUrl"].is_null() && data["expiresAt"].is_null());
        assert_eq!(world.credits(sale.buyer.id).await, (999, 0));
        assert_eq!(world.earnings().await, 0);
        assert_eq!(world.fees().await, 0);
        assert_eq!(transfers(&world, "refund").await, 1);
    }
    assert_eq!(world.count(SALES).await, 0);
    assert_eq!(events(&world, "purchase.refunded").await, 1);
    for path in ["/buyer", "/webhook"] {
        let received = heard(&world, path, "purchase.refunded").await;
        assert_eq!(received.body["purchaseId"], sale.purchase);
        assert_eq!(received.body["cause"], "buyer");
        assert_eq!(received.body["reason"], "not needed");
    }
    assert_books_balance(&world).await;
}

/// An outage would be 503, and tried again for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_ledger_has_already_is_a_defect_and_no_outage() {
    let world = World::start().await;
    let sale = Sale::of(&world, 9.99).await;
    sqlx::query(
        "select ledger_post('refund', purchases.id, 'USD', 'req_defect', array[buyer_id, seller_id, $1],
                            array['buyer_credits', 'seller_earnings', 'platform_fees'], array[999, -849, -150])
         from purchases",
    )
    .bind(uuid::Uuid::nil())
    .execute(&world.pool)
    .await
    .unwrap();
    let refused = sale.refund().await;
    assert_eq!(refused.fault(), (500, "INTERNAL_ERROR".to_owned()));
    assert!(!refused.text.contains("posted"), "{}", refused.text);
    assert_eq!(transfers(&world, "refund").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn buyer_and_seller_who_listen_at_one_address_both_hear() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    let mut request = purchase_of(&package);
    request["webhookUrl"] = json!(world.webhook_url());
    let bought = buyer.client.purchase(&request).await.data();
    let path = format!(
        "/api/ai/purchases/{}/refund",
        bought["purchaseId"].as_str().unwrap()
    );
    assert_eq!(buyer.client.post(&path, &json!({})).await.status, 200);
    let promised = "select count(distinct owner_id)
                    from webhook_deliveries
                    where event_type = 'purchase.refunded'";
    assert_eq!(world.count(promised).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refunds_at_once_move_the_money_once() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    let buyer = join_all((0..4).map(|_| sale.refund()));
    let operator = join_all((0..4).map(|_| sale.refund_by_operator(&world)));
    let (buyer, operator) = tokio::join!(buyer, operator);
    for answer in buyer.iter().chain(&operator) {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.data()["status"], "refunded");
    }
    assert_eq!(transfers(&world, "refund").await, 1);
    assert_eq!(events(&world, "purchase.refunded").await, 1);
    assert_eq!(world.credits(sale.buyer.id).await, (500, 0));
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_seven_days_only_an_operator_refunds() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let early = Sale::to(&world, &package, "early", 5.0).await;
    let late = Sale::to(&world, &package, "late", 5.0).await;
    early.age(&world, 6).await;
    late.age(&world, 7).await;
    assert_eq!(early.refund().await.status, 200);
    let refused = late.refund().await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(refused.details()["reason"], "REFUND_WINDOW_OVER");
    assert_eq!(late.shown().await["status"], "settled");
    assert_eq!(world.credits(late.buyer.id).await, (0, 0));
    assert_eq!(world.earnings().await, 425);
    late.age(&world, 400).await;
    let refunded = late.refund_by_operator(&world).await;
    assert_eq!(refunded.status, 200, "{}", refunded.text);
    assert_eq!(late.shown().await["status"], "refunded");
    assert_eq!(world.credits(late.buyer.id).await, (500, 0));
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_buyer_hands_a_purchase_back() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    for client in [&world.stranger, &world.seller] {
        let answer = sale.refund_by(client).await;
        assert_eq!(answer.fault(), (404, "NOT_FOUND".to_owned()));
    }
    assert_eq!(sale.refund_by(&world.anonymous).await.status, 401);
    let narrow = client_who_may(&world, "buyer", Permission::Download).await;
    assert_eq!(sale.refund_by(&narrow).await.status, 403);
    let admin = format!("/admin/purchases/{}/refund", sale.purchase);
    for client in [&world.anonymous, &world.stranger, &sale.buyer.client] {
        let answer = client.post(&admin, &json!({ "reason": "mine" })).await;
        assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()));
    }
    let unknown = "/api/ai/purchases/pur_00000000000000000000000000000000/refund";
    for path in [unknown, "/api/ai/purchases/x/refund"] {
        let answer = sale.buyer.client.post(path, &json!({})).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(sale.shown().await["status"], "settled");
    assert_eq!(transfers(&world, "refund").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_takes_a_reason_an_empty_object_or_no_body_and_nothing_else() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    let path = format!("{}/refund", sale.path());
    for body in [
        json!({ "reason": "x".repeat(501) }),
        json!({ "reason": "\u{0}" }),
        json!({ "amount": 1 }),
        json!("not needed"),
    ] {
        let answer = sale.buyer.client.post(&path, &body).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{body}");
    }
    let bare = send(sale.buyer.client.request(Method::POST, &path)).await;
    assert_eq!(bare.status, 200, "{}", bare.text);
    assert_eq!(sale.buyer.client.post(&path, &json!({})).await.status, 200);
    let admin = format!("/admin/purchases/{}/refund", sale.purchase);
    let silent = world.operator.post(&admin, &json!({ "reason": " " })).await;
    assert_eq!(silent.fault(), (400, "INVALID_INPUT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_is_not_settled_is_not_refunded() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 500).await;
    world.stop_worker().await;
    let post = buyer
        .client
        .request(Method::POST, "/api/ai/purchase-package")
        .header("prefer", "wait=0")
        .json(&purchase_of(&package));
    let id = send(post).await.data()["purchaseId"].clone();
    let id = id.as_str().unwrap();
    let own = format!("/api/ai/purchases/{id}/refund");
    let admin = format!("/admin/purchases/{id}/refund");
    for answer in [
        buyer.client.post(&own, &json!({})).await,
        world.operator.post(&admin, &json!({ "reason": "x" })).await,
    ] {
        assert_eq!(answer.fault(), (409, "CONFLICT".to_owned()));
        assert_eq!(answer.details()["reason"], "PURCHASE_NOT_SETTLED");
        assert_eq!(answer.details()["status"], "pending");
    }
    assert_eq!(world.credits(buyer.id).await, (500, 500));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exclusive_package_is_for_sale_again_after_its_refund() {
    let world = World::start().await;
    let package = world.limited_package(5.0, 1).await;
    let first = Sale::to(&world, &package, "first", 5.0).await;
    let second = world.buyer("second", 500).await;
    assert_eq!(second.client.buy(&package).await.status, 409);
    assert_eq!(first.refund().await.status, 200);
    assert_eq!(world.count("select taken::bigint from listings").await, 0);
    assert_eq!(second.client.buy(&package).await.status, 200);
    assert_eq!(first.buyer.client.buy(&package).await.status, 409);
    assert_eq!(world.count("select taken::bigint from listings").await, 1);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_handed_a_package_back_may_buy_it_again() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    assert_eq!(sale.refund().await.status, 200);
    let again = sale.buyer.client.buy(&sale.package).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_ne!(again.data()["purchaseId"], sale.purchase);
    assert_eq!(world.earnings().await, 425);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_purchase_is_refunded_without_a_transfer() {
    let world = World::start().await;
    let sale = Sale::of(&world, 0.0).await;
    assert_eq!(sale.refund().await.data()["status"], "refunded");
    assert!(sale.shown().await["downloadUrl"].is_null());
    assert_eq!(world.count("select count(*) from transfers").await, 0);
    assert_eq!(world.count(SALES).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_refunds_from_a_shell() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    let words = ["purchases", "refund", &sale.purchase, "--reason", "a gift"];
    let said = awareness(&world, &words).await;
    assert_eq!(said, format!("Purchase {} is refunded.\n", sale.purchase));
    let received = heard(&world, "/buyer", "purchase.refunded").await;
    assert_eq!(received.body["cause"], "operator");
    assert_eq!(received.body["reason"], "a gift");
    assert_eq!(sale.shown().await["status"], "refunded");
    assert_books_balance(&world).await;
}
