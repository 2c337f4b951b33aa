//! Purchases by card: supply waits for the payment, and comes back when it comes to nothing.

use std::time::Duration;

use common::ids::PurchaseId;
use common::purchases::commands;
use local::cards::{Outcome, Status, method};
use scheduler::sweeps::sweep_purchases;
use serde_json::{Value, json};
use tests::World;
use tests::cards::card_purchase_of;
use tests::world::Plan;

#[tokio::test(flavor = "multi_thread")]
async fn a_card_buys_a_package_and_leaves_no_credits() {
    let world = World::with_cards().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 0).await;
    let answer = buyer.client.buy_by_card(&package, method::VISA).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.data();
    assert_eq!(data["status"], "settled");
    assert_eq!(data["payment"]["status"], "succeeded");
    assert!(data["downloadUrl"].is_string());
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    assert_eq!(world.earnings().await, 849);
    assert_eq!(world.fees().await, 150);
    let charges = world.cards().charges();
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0].amount_minor, 999);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_fails_the_purchase_and_frees_the_supply() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let poor = world.buyer("poor", 0).await;
    let rich = world.buyer("rich", 0).await;
    let refused = poor.client.buy_by_card(&package, method::DECLINED).await;
    assert_eq!(refused.fault(), (402, "PAYMENT_REQUIRED".to_owned()));
    assert_eq!(refused.details()["reason"], "CARD_DECLINED");
    assert_eq!(refused.details()["declineCode"], "generic_decline");
    assert_eq!(world.count("select taken::bigint from listings").await, 0);
    let sold = rich.client.buy_by_card(&package, method::VISA).await;
    assert_eq!(sold.status, 200, "{}", sold.text);
    assert_eq!(world.cards().charges().len(), 1);
    world.assert_money_is_right().await;
}

/// What the originals allowed: open the checkout, skip paying, download.
#[tokio::test(flavor = "multi_thread")]
async fn a_pending_row_does_not_satisfy_a_download() {
    let world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 0).await;
    let waiting = buyer
        .client
        .buy_by_card(&package, method::AUTHENTICATION_REQUIRED)
        .await;
    assert_eq!(waiting.status, 202, "{}", waiting.text);
    let data = waiting.data();
    assert_eq!(data["status"], "awaiting_payment");
    assert_eq!(data["payment"]["status"], "requires_action");
    assert!(data["payment"]["clientSecret"].is_string());
    assert_eq!(data["downloadUrl"], Value::Null);
    assert_eq!(data["expiresAt"], Value::Null);
    let downloads = [
        format!("/api/ai/download-package?packageType=vector&packageId={package}"),
        format!("/api/packages/download/vector/{package}"),
    ];
    for path in &downloads {
        let refused = buyer.client.get(path).await;
        assert!(
            [404, 409].contains(&refused.status),
            "{path}: {}",
            refused.text
        );
    }
    let granted = "select count(*) from purchases where grant_expires_at is not null";
    assert_eq!(world.count(granted).await, 0);

    world
        .cards()
        .release(&world.only_intent(), Outcome::Succeed)
        .await
        .unwrap();
    let settled = buyer.client.payment_ended(waiting.header("location")).await;
    assert_eq!(settled["status"], "settled");
    assert_eq!(settled["payment"]["clientSecret"], Value::Null);
    assert_eq!(world.count(granted).await, 1);
    for path in &downloads {
        let given = buyer.client.get(path).await;
        assert!(
            [200, 302, 303, 307].contains(&given.status),
            "{path}: {}",
            given.text
        );
    }
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_provider_leaves_a_purchase_unknown_and_then_settles_it_with_one_charge() {
    let world = World::planned(Plan {
        cards: true,
        card_timeout: Duration::from_secs(1),
        ..Plan::default()
    })
    .await;
    world.cards().send_webhooks_to(None);
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 500).await;
    let accepted = buyer
        .client
        .buy_by_card_without_waiting(&package, method::TIMEOUT)
        .await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert_eq!(accepted.data()["status"], "awaiting_payment");
    let url = accepted.header("location").to_owned();
    let unknown = tests::eventually("the doubt", || async {
        let data = buyer.client.get(&url).await.data();
        (data["status"] == "payment_unknown").then_some(data)
    })
    .await;
    assert_eq!(unknown["payment"]["status"], "unknown");
    // Nobody accepted anything yet: nothing is kept from others, and nobody pays twice meanwhile.
    assert_eq!(unknown["reservedUntil"], Value::Null);
    let again = buyer.client.buy(&package).await;
    assert_eq!(
        again.details()["reason"],
        "PAYMENT_UNDER_WAY",
        "{}",
        again.text
    );
    let settled = buyer.client.payment_ended(&url).await;
    assert_eq!(settled["status"], "settled");
    assert_eq!(world.cards().charges().len(), 1);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_faulty_provider_and_notices_twice_settle_with_one_charge_each() {
    let world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    let methods = [method::LOST, method::DOWN, method::TWICE];
    for method in methods {
        let buyer = world.buyer(method, 0).await;
        let accepted = buyer
            .client
            .buy_by_card_without_waiting(&package, method)
            .await;
        let settled = buyer.client.followed(&accepted).await;
        assert_eq!(settled["status"], "settled", "{method}: {settled}");
        assert_eq!(world.credits(buyer.id).await, (0, 0));
    }
    assert_eq!(world.cards().charges().len(), methods.len());
    assert_eq!(world.earnings().await, 3 * 425);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exclusive_package_is_reserved_while_a_card_waits_and_free_after_its_time() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let quick = world.buyer("quick", 500).await;
    let waiting = slow
        .client
        .buy_by_card(&package, method::AUTHENTICATION_REQUIRED)
        .await;
    assert_eq!(waiting.status, 202, "{}", waiting.text);
    assert_eq!(quick.client.buy(&package).await.status, 409);

    let outbox = world.outbox().await;
    world
        .change("update purchases set expires_at = now() - interval '1 second'")
        .await;
    sweep_purchases(&outbox).await.unwrap();
    let open = "select count(*) from purchases where state = 'awaiting_payment'";
    assert_eq!(world.count(open).await, 1, "only its payment ends it");
    world
        .change("update payments set expires_at = now() - interval '1 second'")
        .await;
    world.sweep_the_open_payment().await;
    let failed = slow.client.payment_ended(waiting.header("location")).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["errorCode"], "PAYMENT_EXPIRED");
    assert_eq!(world.cards().intents()[0].status, Status::Canceled);
    let sold = quick.client.buy(&package).await;
    assert_eq!(sold.status, 200, "{}", sold.text);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_a_purchase_that_has_failed_stays_as_credits() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 0).await;
    let accepted = buyer
        .client
        .buy_by_card_without_waiting(&package, method::LATE)
        .await;
    world
        .counts(
            "select count(*) from payments where state = 'processing'",
            1,
        )
        .await;
    let id = accepted.data()["purchaseId"]
        .as_str()
        .map(PurchaseId::parse);
    let outbox = world.outbox().await;
    assert!(
        commands::expire(&outbox, id.flatten().unwrap())
            .await
            .unwrap()
    );

    world
        .cards()
        .release(&world.only_intent(), Outcome::Succeed)
        .await
        .unwrap();
    world
        .counts("select count(*) from payments where state = 'succeeded'", 1)
        .await;
    assert_eq!(world.credits(buyer.id).await, (500, 0));
    let kept = "select count(*) from events where event_type = 'payment.kept_as_credits'";
    assert_eq!(world.count(kept).await, 1);
    let status = buyer.client.get(accepted.header("location")).await.data();
    assert_eq!(status["status"], "failed");
    let bought = buyer.client.buy(&package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_needs_no_card_and_what_no_card_can_pay_is_refused() {
    let world = World::with_cards().await;
    let free = world.package_for(0.0).await;
    let cheap = world.package_for(0.49).await;
    let buyer = world.buyer("buyer", 0).await;
    let claimed = buyer.client.buy_by_card(&free, method::DECLINED).await;
    assert_eq!(claimed.status, 200, "{}", claimed.text);
    assert_eq!(claimed.data()["payment"], Value::Null);
    let refused = buyer.client.buy_by_card(&cheap, method::VISA).await;
    assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()));
    let mut with_credits = card_purchase_of(&cheap, method::VISA);
    with_credits["paymentMethod"] = json!("credits");
    let refused = buyer.client.purchase(&with_credits).await;
    assert!(
        refused.details()["paymentMethodId"].is_string(),
        "{}",
        refused.text
    );
    assert_eq!(world.cards().intents(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_is_part_of_what_an_idempotency_key_stands_for() {
    let world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 0).await;
    let request = card_purchase_of(&package, method::VISA);
    let first = buyer.client.purchase_once("key-1", &request).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = buyer.client.purchase_once("key-1", &request).await;
    assert_eq!(again.data()["purchaseId"], first.data()["purchaseId"]);
    let other = card_purchase_of(&package, method::LATE);
    let refused = buyer.client.purchase_once("key-1", &other).await;
    assert_eq!(refused.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    assert_eq!(world.cards().charges().len(), 1);
}
