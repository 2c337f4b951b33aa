//! Money that a card gets back: the books stay exact, sellers keep their sales, and who owes pays first.

use common::cards::ReversalState;
use local::cards::{ReversalStatus, method};
use serde_json::{Value, json};
use tests::market::User;
use tests::{World, eventually};

use super::downloads::link_path;
use super::sales::heard;

/// A buyer whose card paid 20.00: its credits, and what the provider calls the payment.
async fn payer(world: &World, name: &str) -> (User, String) {
    let buyer = world.buyer(name, 0).await;
    let paid = buyer.client.top_up(method::VISA).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let intents = world.cards().intents();
    (buyer, intents.last().unwrap().id.clone())
}

async fn listed(world: &World) -> Vec<Value> {
    let page = world.operator.get("/admin/chargebacks").await.data();
    page["chargebacks"].as_array().unwrap().clone()
}

/// Waits until the one chargeback stands so.
async fn becomes(world: &World, state: ReversalState) -> Value {
    let state = json!(state);
    eventually(&format!("a chargeback that is {state}"), || async {
        let listed = listed(world).await;
        listed.into_iter().next().filter(|it| it["state"] == state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_that_are_disputed_are_set_aside_and_come_back_when_it_is_won() {
    let world = World::with_cards().await;
    let (buyer, intent) = payer(&world, "buyer").await;
    let dispute = world
        .cards()
        .reverse(&intent, 2_000, ReversalStatus::NeedsResponse)
        .await
        .unwrap();
    let open = becomes(&world, ReversalState::Open).await;
    assert_eq!(
        (&open["owedMinor"], &open["kind"]),
        (&json!(0), &json!("dispute"))
    );
    assert!(open["evidenceDueAt"].is_string(), "{open}");
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world.assert_money_is_right().await;

    let id = open["id"].as_str().unwrap();
    let path = format!("/admin/chargebacks/{id}/evidence");
    let body = json!({ "evidence": "The buyer downloaded the package." });
    assert_eq!(world.operator.post(&path, &body).await.status, 202);
    eventually("the evidence", || async {
        let kept = world.cards().reversals().into_iter().next().unwrap();
        (kept.evidence.as_deref() == Some("The buyer downloaded the package.")).then_some(())
    })
    .await;
    eventually("the note", || async {
        (!listed(&world).await[0]["evidenceSentAt"].is_null()).then_some(())
    })
    .await;
    assert_eq!(world.operator.post(&path, &body).await.fault().0, 409);

    let won = ReversalStatus::Won;
    world.cards().move_dispute(&dispute, won).await.unwrap();
    becomes(&world, ReversalState::Won).await;
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_that_are_spent_are_owed_the_sale_stands_and_what_comes_in_pays_first() {
    let world = World::with_cards().await;
    let package = world.package_for(15.0).await;
    let (buyer, intent) = payer(&world, "buyer").await;
    let bought = buyer.client.buy(&package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    let link = link_path(&package);
    assert_eq!(buyer.client.get(&link).await.status, 303);
    let earned = world.earnings().await;

    let dispute = world
        .cards()
        .reverse(&intent, 2_000, ReversalStatus::NeedsResponse)
        .await
        .unwrap();
    let open = becomes(&world, ReversalState::Open).await;
    assert_eq!(open["owedMinor"], 1_500);
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    assert_eq!(world.earnings().await, earned, "the seller keeps the sale");
    for refused in [
        buyer.client.get(&link).await,
        buyer.client.buy(&package).await,
    ] {
        assert_eq!(refused.fault(), (402, "PAYMENT_REQUIRED".to_owned()));
        assert_eq!(refused.json()["error"]["details"]["owed"], "15.00");
    }
    world.assert_money_is_right().await;

    let lost = ReversalStatus::Lost;
    world.cards().move_dispute(&dispute, lost).await.unwrap();
    becomes(&world, ReversalState::Lost).await;
    assert_eq!(buyer.client.get(&link).await.status, 402);
    world.assert_money_is_right().await;

    let paid = buyer.client.top_up(method::VISA).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(world.credits(buyer.id).await, (500, 0));
    assert_eq!(buyer.client.get(&link).await.status, 303);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_at_the_provider_is_clawed_back_once_however_often_it_is_told() {
    let world = World::with_cards().await;
    let (buyer, intent) = payer(&world, "buyer").await;
    let refunded = ReversalStatus::Succeeded;
    world.cards().reverse(&intent, 700, refunded).await.unwrap();
    becomes(&world, ReversalState::Lost).await;
    for n in 0..5 {
        let body = tests::cards::notice(&format!("evt_{n}"), "charge.refunded", &intent);
        assert_eq!(world.give_notice(&body).await.status, 200);
    }
    world
        .counts("select count(*) from jobs where name = 'process_payment' and state in ('ready', 'running')", 0)
        .await;
    assert_eq!(world.credits(buyer.id).await, (1_300, 0));
    assert_eq!(listed(&world).await.len(), 1);
    let refund = listed(&world).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/chargebacks/{refund}/evidence");
    let answer = world
        .operator
        .post(&path, &json!({ "evidence": "no" }))
        .await;
    assert_eq!(answer.fault().0, 409, "a refund is no dispute");
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_moves_no_money_until_it_becomes_a_dispute() {
    let world = World::with_cards().await;
    let (buyer, intent) = payer(&world, "buyer").await;
    let inquiry = ReversalStatus::WarningNeedsResponse;
    let dispute = world
        .cards()
        .reverse(&intent, 2_000, inquiry)
        .await
        .unwrap();
    becomes(&world, ReversalState::Inquiry).await;
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    let open = ReversalStatus::NeedsResponse;
    world.cards().move_dispute(&dispute, open).await.unwrap();
    becomes(&world, ReversalState::Open).await;
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buyer_and_seller_hear_of_it() {
    let world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 0).await;
    for (client, path) in [(&buyer.client, "/buyer"), (&world.seller, "/seller")] {
        let endpoint = json!({
            "url": format!("{}{path}", world.receiver.url()),
            "eventTypes": ["chargeback.opened", "chargeback.closed"],
        });
        let made = client.post("/api/ai/webhooks/endpoints", &endpoint).await;
        assert_eq!(made.status, 201, "{}", made.text);
        world
            .receiver
            .trust_standard_secret(made.data()["secret"].as_str().unwrap());
    }
    let bought = buyer.client.buy_by_card(&package, method::VISA).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    let intent = world.only_intent();
    let open = ReversalStatus::NeedsResponse;
    let dispute = world.cards().reverse(&intent, 500, open).await.unwrap();
    becomes(&world, ReversalState::Open).await;
    let lost = ReversalStatus::Lost;
    world.cards().move_dispute(&dispute, lost).await.unwrap();
    for (path, owed) in [("/buyer", json!(500)), ("/seller", Value::Null)] {
        for event in ["chargeback.opened", "chargeback.closed"] {
            let heard = heard(&world, path, event).await;
            let data = heard.body.get("data").unwrap_or(&heard.body);
            assert_eq!(data["purchaseId"], bought.data()["purchaseId"]);
            assert_eq!(data["owedMinor"], owed, "{path} {event}");
        }
    }
    assert_eq!(world.earnings().await, 425, "the seller keeps the sale");
    world.assert_money_is_right().await;
}
