//! What an unpaid purchase keeps from others: nothing, until its payment is under way, and then for minutes.

use common::limits::RESERVATIONS_MAX;
use common::reqwest::Method;
use local::cards::{Outcome, Status, method};
use serde_json::{Value, json};
use tests::cards::card_purchase_of;
use tests::client::send;
use tests::market::{User, purchase_of};
use tests::{Answer, Client, World};

pub(super) const TAKEN: &str = "select coalesce(sum(taken), 0)::bigint from listings";

/// A purchase by a card that the buyer chooses at the provider: nobody has accepted anything.
pub(super) async fn ask_without_a_card(client: &Client, package: &str) -> Answer {
    let mut request = card_purchase_of(package, method::VISA);
    request.as_object_mut().unwrap().remove("paymentMethodId");
    client.purchase(&request).await
}

/// A purchase whose card waits for its payer to act: its address.
pub(super) async fn reserve(buyer: &User, package: &str) -> String {
    let card = method::AUTHENTICATION_REQUIRED;
    let answer = buyer.client.buy_by_card(package, card).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.header("location").to_owned()
}

pub(super) async fn pay(client: &Client, url: &str, body: &Value) -> Answer {
    client.post(&format!("{url}/pay"), body).await
}

pub(super) async fn cancel(client: &Client, url: &str) -> Answer {
    send(client.request(Method::DELETE, url)).await
}

/// The time of all reservations is over.
pub(super) async fn let_reservations_end(world: &World) {
    world
        .change("update purchases set reserved_until = now() - interval '1 second' where reserved_until is not null")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_begun_to_pay_reserves_nothing() {
    let world = World::with_cards().await;
    let poor = world.buyer("poor", 0).await;
    let rich = world.buyer("rich", 5_000).await;
    for sold in 1..=10 {
        let package = world.limited_package(5.0, 1).await;
        let asked = ask_without_a_card(&poor.client, &package).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        assert_eq!(asked.data()["payment"]["status"], "requires_payment_method");
        assert_eq!(asked.data()["reservedUntil"], Value::Null);
        assert!(asked.data()["paymentDueAt"].is_string());
        let bought = rich.client.buy(&package).await;
        assert_eq!(bought.status, 200, "{}", bought.text);
        assert_eq!(world.count(TAKEN).await, sold);
    }
    world.assert_money_is_right().await;
}

/// Who pays first has it: money that comes for what was sold meanwhile stays with its payer.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_too_late_for_the_supply_stays_as_credits() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let quick = world.buyer("quick", 500).await;
    let url = reserve(&slow, &package).await;
    let_reservations_end(&world).await;
    let sold = quick.client.buy(&package).await;
    assert_eq!(sold.status, 200, "{}", sold.text);
    let intent = world.only_intent();
    world
        .cards()
        .release(&intent, Outcome::Succeed)
        .await
        .unwrap();
    let ended = slow.client.payment_ended(&url).await;
    assert_eq!(ended["status"], "failed");
    assert_eq!(ended["errorCode"], "SOLD_OUT");
    assert_eq!(world.credits(slow.id).await, (500, 0));
    let kept = "select count(*) from events where event_type = 'payment.kept_as_credits'";
    assert_eq!(world.count(kept).await, 1);
    world.assert_money_is_right().await;
}

/// Nobody is asked for money for what is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_accepted_after_the_last_sale_is_not_charged() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let quick = world.buyer("quick", 500).await;
    let asked = ask_without_a_card(&slow.client, &package).await;
    assert_eq!(quick.client.buy(&package).await.status, 200);
    let url = asked.header("location").to_owned();
    let paid =
        json!({ "paymentMethod": "stripe", "paymentMethodId": method::AUTHENTICATION_REQUIRED });
    let answer = pay(&slow.client, &url, &paid).await;
    assert_eq!(
        answer.fault(),
        (409, "CONFLICT".to_owned()),
        "{}",
        answer.text
    );
    assert_eq!(answer.details()["reason"], "SOLD_OUT");
    world
        .counts("select count(*) from payments where state = 'canceled'", 2)
        .await;
    assert!(
        world
            .cards()
            .intents()
            .iter()
            .all(|it| it.status == Status::Canceled)
    );
    assert_eq!(world.credits(slow.id).await, (0, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_is_told_until_when_a_listing_is_reserved() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let quick = world.buyer("quick", 500).await;
    let url = reserve(&slow, &package).await;
    let until = slow.client.get(&url).await.data()["reservedUntil"].clone();
    assert!(until.is_string());
    let refused = quick.client.buy(&package).await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(refused.details()["reason"], "RESERVED");
    assert_eq!(refused.details()["reservedUntil"], until);
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=601).contains(&seconds), "{seconds}");
    let quote = json!({ "packageType": "vector", "packageId": package });
    let refused = quick.client.post("/api/ai/quotes", &quote).await;
    assert_eq!(
        refused.details()["reservedUntil"],
        until,
        "{}",
        refused.text
    );

    // The moment that it is over anybody may have it, whether a sweep has been here or not.
    let_reservations_end(&world).await;
    let sold = quick.client.buy(&package).await;
    assert_eq!(sold.status, 200, "{}", sold.text);
    let refused = world.buyer("third", 500).await.client.buy(&package).await;
    assert!(refused.text.contains("sold out"), "{}", refused.text);
    assert_eq!(world.count(TAKEN).await, 1);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_prefers_to_wait_buys_as_soon_as_a_reservation_ends() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let patient = world.buyer("patient", 500).await;
    let url = reserve(&slow, &package).await;
    let wait = |seconds: u32| {
        let post = patient
            .client
            .request(Method::POST, "/api/ai/purchase-package");
        let post = post.header("prefer", format!("wait={seconds}"));
        send(post.json(&purchase_of(&package)))
    };
    let refused = wait(1).await;
    assert_eq!(refused.details()["reason"], "RESERVED", "{}", refused.text);
    let (bought, cancelled) = tokio::join!(wait(40), async {
        world
            .counts(
                "select count(*) from purchases where state = 'awaiting_payment'",
                1,
            )
            .await;
        cancel(&slow.client, &url).await
    });
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    assert_eq!(bought.status, 200, "{}", bought.text);
    assert_eq!(bought.data()["status"], "settled");
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_purchase_can_be_paid_otherwise_or_cancelled() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 500).await;
    let asked = ask_without_a_card(&buyer.client, &package).await;
    let url = asked.header("location").to_owned();

    // Once with another card, which is declined and ends it.
    let card = |name: &str| json!({ "paymentMethod": "stripe", "paymentMethodId": name });
    let waits = pay(&buyer.client, &url, &card(method::AUTHENTICATION_REQUIRED)).await;
    assert_eq!(waits.status, 202, "{}", waits.text);
    assert!(waits.data()["reservedUntil"].is_string());
    assert_eq!(world.count(TAKEN).await, 1);
    // The same again changes nothing.
    let same = pay(&buyer.client, &url, &card(method::AUTHENTICATION_REQUIRED)).await;
    assert_eq!(
        same.data()["payment"]["paymentId"],
        waits.data()["payment"]["paymentId"]
    );

    let cancelled = cancel(&buyer.client, &url).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    assert_eq!(cancelled.data()["status"], "failed");
    assert_eq!(cancelled.data()["errorCode"], "CANCELED");
    assert_eq!(cancel(&buyer.client, &url).await.status, 200, "once more");
    assert_eq!(world.count(TAKEN).await, 0);
    let refused = pay(&buyer.client, &url, &json!({ "paymentMethod": "credits" })).await;
    assert_eq!(refused.details()["reason"], "NOT_AWAITING_PAYMENT");

    // And a new one, with the buyer's credits.
    let asked = ask_without_a_card(&buyer.client, &package).await;
    let url = asked.header("location").to_owned();
    let paid = pay(&buyer.client, &url, &json!({ "paymentMethod": "credits" })).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(paid.data()["status"], "settled");
    assert_eq!(paid.data()["paymentMethod"], "credits");
    let again = pay(&buyer.client, &url, &json!({ "paymentMethod": "credits" })).await;
    assert_eq!(again.data()["status"], "settled", "{}", again.text);
    let refused = cancel(&buyer.client, &url).await;
    assert_eq!(refused.details()["reason"], "NOT_AWAITING_PAYMENT");
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world
        .counts("select count(*) from payments where finished_at is null", 0)
        .await;
    assert!(
        world
            .cards()
            .intents()
            .iter()
            .all(|it| it.status == Status::Canceled)
    );
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_with_other_means_replaces_what_was_not_paid() {
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let buyer = world.buyer("buyer", 500).await;
    let quote = json!({ "packageType": "vector", "packageId": package });
    let quote = buyer.client.post("/api/ai/quotes", &quote).await.data();
    let mut by_card = card_purchase_of(&package, method::AUTHENTICATION_REQUIRED);
    by_card["quoteId"] = quote["quoteId"].clone();
    let first = buyer.client.purchase(&by_card).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let same = buyer.client.purchase(&by_card).await;
    assert_eq!(
        same.details()["reason"],
        "AWAITING_PAYMENT",
        "{}",
        same.text
    );
    assert_eq!(same.details()["purchaseId"], first.data()["purchaseId"]);

    let mut with_credits = purchase_of(&package);
    with_credits["quoteId"] = quote["quoteId"].clone();
    let second = buyer.client.purchase(&with_credits).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let replaced = buyer.client.get(first.header("location")).await.data();
    assert_eq!(replaced["status"], "failed");
    assert_eq!(replaced["errorCode"], "SUPERSEDED");
    let third = buyer.client.buy(&package).await;
    assert!(third.text.contains("bought before"), "{}", third.text);
    assert_eq!(world.count(TAKEN).await, 1);
    world.assert_money_is_right().await;
}

/// The payer acts at the provider while the purchase is cancelled or paid otherwise: whatever is charged is
/// the payer's, and there is one sale.
#[tokio::test(flavor = "multi_thread")]
async fn a_payer_who_acts_while_the_payment_is_called_off_loses_nothing() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 5_000).await;
    for number in 0..4 {
        let package = world.limited_package(5.0, 1).await;
        let url = reserve(&buyer, &package).await;
        let intent = world.cards().intents().last().unwrap().id.clone();
        let credits = json!({ "paymentMethod": "credits" });
        let (acted, ended) =
            tokio::join!(world.cards().release(&intent, Outcome::Succeed), async {
                if number % 2 == 0 {
                    cancel(&buyer.client, &url).await
                } else {
                    pay(&buyer.client, &url, &credits).await
                }
            });
        drop(acted);
        assert!([200, 202, 409].contains(&ended.status), "{}", ended.text);
        world
            .counts("select count(*) from payments where finished_at is null", 0)
            .await;
        let shown = buyer.client.payment_ended(&url).await;
        assert!(["settled", "failed"].contains(&shown["status"].as_str().unwrap()));
    }
    let spent =
        "select coalesce(sum(price_minor), 0)::bigint from purchases where state = 'settled'";
    let charged: i64 = world
        .cards()
        .charges()
        .iter()
        .map(|it| it.amount_minor)
        .sum();
    let left = 5_000 + charged - world.count(spent).await;
    assert_eq!(world.credits(buyer.id).await, (left, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_reserves_few_listings_and_none_again_and_again() {
    let world = World::with_cards().await;
    let greedy = world.buyer("greedy", 0).await;
    let reserved =
        "select count(*) from purchases where takes_supply and state = 'awaiting_payment'";
    let mut urls = Vec::new();
    for _ in 0..=RESERVATIONS_MAX {
        let package = world.limited_package(5.0, 1).await;
        urls.push((reserve(&greedy, &package).await, package));
    }
    assert_eq!(world.count(reserved).await, RESERVATIONS_MAX);
    let (last, _) = urls.last().unwrap();
    let shown = greedy.client.get(last).await.data();
    assert_eq!(shown["status"], "awaiting_payment");
    assert_eq!(shown["reservedUntil"], Value::Null);

    let (first, package) = &urls[0];
    assert_eq!(cancel(&greedy.client, first).await.status, 200);
    let again = reserve(&greedy, package).await;
    let shown = greedy.client.get(&again).await.data();
    assert_eq!(shown["reservedUntil"], Value::Null, "it had its chance");
    let honest = world.buyer("honest", 500).await;
    assert_eq!(honest.client.buy(package).await.status, 200);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_that_is_over_is_given_back_by_the_sweep_and_its_purchase_may_still_be_paid()
{
    let world = World::with_cards().await;
    let package = world.limited_package(5.0, 1).await;
    let slow = world.buyer("slow", 0).await;
    let url = reserve(&slow, &package).await;
    let_reservations_end(&world).await;
    world.counts(TAKEN, 0).await;
    let shown = slow.client.get(&url).await.data();
    assert_eq!(shown["status"], "awaiting_payment");
    assert_eq!(shown["reservedUntil"], Value::Null);
    world
        .cards()
        .release(&world.only_intent(), Outcome::Succeed)
        .await
        .unwrap();
    let settled = slow.client.payment_ended(&url).await;
    assert_eq!(settled["status"], "settled");
    assert_eq!(world.count(TAKEN).await, 1);
    world.assert_money_is_right().await;
}
