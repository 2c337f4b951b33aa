//! Credits by card: every behaviour of the provider, from the request to the ledger.

use std::time::Duration;

use common::ids::PaymentId;
use common::ledger::{self, LedgerError, Posting};
use common::reqwest::Method;
use futures::future::join_all;
use local::cards::{Outcome, method};
use serde_json::{Value, json};
use tests::cards::{TOP_UPS, top_up_of};
use tests::client::send;
use tests::world::Plan;
use tests::{DEADLINE, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_good_card_becomes_credits_once() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let answer = buyer.client.top_up(method::VISA).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.data();
    assert_eq!(data["status"], "succeeded");
    assert_eq!(
        (&data["amount"], &data["currency"]),
        (&json!(20.0), &json!("USD"))
    );
    assert_eq!(data["clientSecret"], Value::Null);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    assert_eq!(world.cards().charges().len(), 1);

    let url = data["statusUrl"].as_str().unwrap();
    let shown = buyer.client.get(url).await;
    assert_eq!(shown.data()["topUpId"], data["topUpId"]);
    let known = buyer.client.request(Method::GET, url);
    let known = send(known.header("if-none-match", shown.header("etag"))).await;
    assert_eq!(known.status, 304);
    assert_eq!(world.stranger.get(url).await.status, 404);
    assert_eq!(world.anonymous.get(url).await.status, 401);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_says_why_and_can_never_be_charged_any_more() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let answer = buyer.client.top_up(method::INSUFFICIENT_FUNDS).await;
    assert_eq!(answer.fault(), (402, "PAYMENT_REQUIRED".to_owned()));
    assert_eq!(answer.details()["reason"], "CARD_DECLINED");
    assert_eq!(answer.details()["declineCode"], "insufficient_funds");
    assert!(answer.text.contains("Your card has insufficient funds."));
    let cancelled = &world.cards().intents()[0];
    assert_eq!(cancelled.status, local::cards::Status::Canceled);
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_must_act_gets_the_client_secret_alone_and_at_once() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let mut chosen_later = top_up_of(method::VISA);
    chosen_later
        .as_object_mut()
        .unwrap()
        .remove("paymentMethodId");
    let chooses = buyer.client.post(TOP_UPS, &chosen_later).await;
    assert_eq!(chooses.status, 202, "{}", chooses.text);
    assert_eq!(chooses.data()["status"], "requires_payment_method");
    assert!(chooses.data()["clientSecret"].is_string());

    let acts = buyer.client.top_up(method::AUTHENTICATION_REQUIRED).await;
    assert_eq!(acts.status, 202, "{}", acts.text);
    let data = acts.data();
    assert_eq!(data["status"], "requires_action");
    let secret = data["clientSecret"].as_str().unwrap();
    assert!(secret.starts_with(&world.cards().intents()[1].id));
    assert_eq!(acts.header("location"), data["statusUrl"].as_str().unwrap());

    let intent = world.cards().intents()[1].id.clone();
    world
        .cards()
        .release(&intent, Outcome::Succeed)
        .await
        .unwrap();
    let ended = buyer.client.payment_ended(acts.header("location")).await;
    assert_eq!(ended["status"], "succeeded");
    assert_eq!(ended["clientSecret"], Value::Null);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_fails_to_act_and_a_bank_that_says_no_late_charge_nobody() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let acts = buyer.client.top_up(method::AUTHENTICATION_REQUIRED).await;
    let post = buyer.client.request(Method::POST, TOP_UPS);
    let late = send(
        post.header("prefer", "wait=0")
            .json(&top_up_of(method::LATE)),
    )
    .await;
    assert_eq!(late.status, 202, "{}", late.text);
    world
        .counts(
            "select count(*) from payments where state = 'processing'",
            1,
        )
        .await;
    for intent in world.cards().intents() {
        world
            .cards()
            .release(&intent.id, Outcome::Fail)
            .await
            .unwrap();
    }
    for answer in [&acts, &late] {
        let ended = buyer.client.payment_ended(answer.header("location")).await;
        assert_eq!(ended["status"], "failed");
        assert_eq!(ended["errorCode"], "CARD_DECLINED");
    }
    assert_eq!(world.cards().charges(), []);
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_hangs_up_or_tells_twice_charges_and_credits_once() {
    let world = World::with_cards().await;
    for (name, method) in [
        ("down", method::DOWN),
        ("lost", method::LOST),
        ("twice", method::TWICE),
        ("late", method::LATE),
    ] {
        let buyer = world.buyer(name, 0).await;
        let post = buyer.client.request(Method::POST, TOP_UPS);
        let taken = send(post.header("prefer", "wait=0").json(&top_up_of(method))).await;
        if method == method::LATE {
            world
                .counts(
                    "select count(*) from payments where state = 'processing'",
                    1,
                )
                .await;
            let intent = world.cards().intents().last().unwrap().id.clone();
            world
                .cards()
                .release(&intent, Outcome::Succeed)
                .await
                .unwrap();
        }
        let ended = buyer.client.followed(&taken).await;
        assert_eq!(ended["status"], "succeeded", "{name}");
        assert_eq!(world.credits(buyer.id).await, (2_000, 0), "{name}");
    }
    assert_eq!(world.cards().charges().len(), 4);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_provider_leaves_a_top_up_unknown_until_it_speaks() {
    let world = World::planned(Plan {
        cards: true,
        card_timeout: Duration::from_secs(1),
        ..Plan::default()
    })
    .await;
    // Nothing but the job itself finds out.
    world.cards().send_webhooks_to(None);
    let buyer = world.buyer("buyer", 0).await;
    let answer = buyer.client.top_up(method::TIMEOUT).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let doubted = "select count(*) from events where event_type = 'payment.unknown'";
    assert_eq!(world.count(doubted).await, 1);
    assert_eq!(
        world
            .count("select attempts::bigint from jobs where name = 'process_payment'")
            .await,
        0
    );
    assert_eq!(world.cards().charges().len(), 1);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_key_returns_the_first_top_up() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let ask = |amount: f64| {
        let post = buyer.client.request(Method::POST, TOP_UPS);
        let mut body = top_up_of(method::VISA);
        body["amount"] = json!(amount);
        send(post.header("idempotency-key", "key-1").json(&body))
    };
    let answers = join_all((0..5).map(|_| ask(20.0))).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.data()["topUpId"], answers[0].data()["topUpId"]);
    }
    let other = ask(21.0).await;
    assert_eq!(other.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    assert_eq!(world.cards().charges().len(), 1);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
}

/// What the originals allowed: a top-up with any payment id, and the same one again.
#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_cannot_be_replayed_with_its_payment_id() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let paid = buyer.client.top_up(method::VISA).await.data();
    let id = paid["topUpId"].as_str().unwrap();
    for name in ["paymentId", "topUpId", "paymentIntentId", "txHash"] {
        let mut request = top_up_of(method::VISA);
        request[name] = json!(id);
        let refused = buyer.client.post(TOP_UPS, &request).await;
        assert_eq!(refused.status, 400, "{name}: {}", refused.text);
    }
    let id = PaymentId::parse(id).unwrap();
    let again = Posting::top_up(id.0, buyer.id, 2_000);
    let mut connection = world.pool.acquire().await.unwrap();
    let refused = ledger::post_in_tx(&mut connection, &again, "USD", "test").await;
    assert!(
        matches!(refused, Err(LedgerError::PostedBefore)),
        "{refused:?}"
    );
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    assert_eq!(world.cards().charges().len(), 1);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_charged_says_why() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    for (field, value) in [
        ("amount", json!(0.49)),
        ("amount", json!(1_000_000.00)),
        ("amount", json!(5.001)),
        ("amount", json!(-5)),
        ("currency", json!("EUR")),
        ("paymentMethodId", json!("")),
        ("paymentMethodId", json!("pm card&confirm=false")),
        ("webhookUrl", json!("ftp://example.com")),
    ] {
        let mut request = top_up_of(method::VISA);
        request[field] = value.clone();
        let refused = buyer.client.post(TOP_UPS, &request).await;
        assert_eq!(refused.status, 400, "{field} {value}: {}", refused.text);
        assert!(refused.details()[field].is_string(), "{}", refused.text);
    }
    let unknown = buyer.client.top_up("pm_card_of_nobody").await;
    assert_eq!(unknown.fault(), (402, "PAYMENT_REQUIRED".to_owned()));
    assert_eq!(unknown.details()["reason"], "CARD_UNKNOWN");
    let nobody = world.anonymous.top_up(method::VISA).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(world.cards().intents(), []);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_cards_are_refused_with_a_clear_error() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 0).await;
    for answer in [
        buyer.client.top_up(method::VISA).await,
        buyer.client.buy_by_card(&package, method::VISA).await,
    ] {
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()));
        assert!(
            answer
                .text
                .contains("Payment by card is not available here.")
        );
    }
    assert_eq!(world.give_notice("{}").await.status, 404);
    assert_eq!(world.count("select count(*) from payments").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn top_ups_are_listed_in_pages_and_told_by_webhook() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    let mut ids = Vec::new();
    for method in [method::VISA, method::DECLINED, method::VISA] {
        let mut request = top_up_of(method);
        request["webhookUrl"] = json!(world.webhook_url());
        let answer = buyer.client.post(TOP_UPS, &request).await;
        let id = match answer.status {
            200 => answer.data()["topUpId"].clone(),
            _ => answer.details()["topUpId"].clone(),
        };
        let told = world.receiver.wait_for(|told| told.body["topUpId"] == id);
        let told = tokio::time::timeout(DEADLINE, told).await.unwrap();
        let expected = match answer.status {
            200 => "top_up.completed",
            _ => "top_up.failed",
        };
        assert_eq!(told.event.as_deref(), Some(expected));
        ids.insert(0, id);
    }
    let first = buyer.client.get(&format!("{TOP_UPS}?limit=2")).await.data();
    let next = first["nextCursor"].as_str().unwrap();
    let second = buyer
        .client
        .get(&format!("{TOP_UPS}?limit=2&cursor={next}"))
        .await;
    let second = second.data();
    let listed = [&first, &second].map(|page| page["topUps"].as_array().unwrap().clone());
    let listed: Vec<Value> = listed
        .concat()
        .iter()
        .map(|row| row["topUpId"].clone())
        .collect();
    assert_eq!(listed, ids);
    assert_eq!(second["nextCursor"], Value::Null);
    assert_eq!(
        world.stranger.get(TOP_UPS).await.data()["topUps"],
        json!([])
    );
}
