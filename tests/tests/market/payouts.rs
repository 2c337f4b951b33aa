//! Payouts: sellers draw what is theirs for good, and never more than there is.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, World};

use super::sales::{Sale, assert_books_balance, events, transfers};

pub(super) const PAYOUTS: &str = "/api/ai/payouts";

pub(super) async fn request(world: &World, amount: f64) -> Answer {
    world
        .seller
        .post(PAYOUTS, &json!({ "amount": amount }))
        .await
}

pub(super) async fn request_once(world: &World, key: &str, body: &Value) -> Answer {
    let post = world.seller.request(Method::POST, PAYOUTS);
    send(post.header("idempotency-key", key).json(body)).await
}

/// Asks for a payout that is there: its id.
pub(super) async fn requested(world: &World, amount: f64) -> String {
    let answer = request(world, amount).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()["payoutId"].as_str().unwrap().to_owned()
}

pub(super) async fn pay(world: &World, id: &str, reference: &str) -> Answer {
    let path = format!("/admin/payouts/{id}/paid");
    let body = json!({ "reference": reference });
    world.operator.post(&path, &body).await
}

pub(super) async fn give_back(world: &World, id: &str, reason: &str) -> Answer {
    let path = format!("/admin/payouts/{id}/returned");
    world
        .operator
        .post(&path, &json!({ "reason": reason }))
        .await
}

/// A sale of ten whose share, 8.50, is its seller's for good.
pub(super) async fn matured_sale(world: &World) -> Sale {
    let sale = Sale::of(world, 10.0).await;
    sale.age(world, 31).await;
    sale
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_draws_what_buyers_can_no_longer_hand_back_or_dispute() {
    let world = World::start().await;
    let sale = Sale::of(&world, 10.0).await;
    sale.age(&world, 30).await;
    let refused = request(&world, 0.01).await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    let details = refused.details();
    assert_eq!(details["reason"], "NOT_ENOUGH_EARNINGS");
    assert_eq!(
        (&details["available"], &details["maturing"]),
        (&json!("0.00"), &json!("8.50"))
    );
    let earnings = world.seller.get("/api/ai/earnings").await.data();
    assert_eq!(earnings["pendingMinor"], 850, "{earnings}");
    assert_eq!(earnings["availableMinor"], 0);
    assert_eq!(earnings["nextAvailableMinor"], 850);
    assert!(earnings["nextAvailableAt"].is_string());
    sale.age(&world, 1).await;
    let earnings = world.seller.get("/api/ai/earnings").await.data();
    assert_eq!(earnings["pendingMinor"], 0, "{earnings}");
    assert_eq!(earnings["availableMinor"], 850);
    assert_eq!(earnings["nextAvailableAt"], Value::Null);
    assert_eq!(request(&world, 8.51).await.details()["available"], "8.50");
    let asked = request(&world, 8.5).await;
    assert_eq!(asked.status, 201, "{}", asked.text);
    assert_eq!(asked.data()["status"], "requested");
    assert_eq!(asked.data()["amountMinor"], 850);
    assert_eq!(world.earnings().await, 0);
    let shown = world.seller.get(asked.header("location")).await.data();
    assert_eq!(shown["payoutId"], asked.data()["payoutId"]);
    let id = shown["payoutId"].as_str().unwrap();
    for _ in 0..2 {
        let paid = pay(&world, id, "transfer 4711").await;
        assert_eq!(paid.status, 200, "{}", paid.text);
        assert_eq!(paid.data()["status"], "paid");
        assert_eq!(paid.data()["reference"], "transfer 4711");
    }
    assert_eq!(pay(&world, id, "transfer 4712").await.status, 409);
    assert_eq!(give_back(&world, id, "no").await.status, 409);
    for kind in ["payout", "payout_paid"] {
        assert_eq!(transfers(&world, kind).await, 1, "{kind}");
    }
    for event in ["payout.requested", "payout.paid"] {
        assert_eq!(events(&world, event).await, 1, "{event}");
    }
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payouts_at_once_never_take_more_than_there_is() {
    let world = World::start().await;
    matured_sale(&world).await;
    let answers = join_all((0..10).map(|_| request(&world, 3.0))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 2);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            answer.details()["reason"],
            "NOT_ENOUGH_EARNINGS",
            "{}",
            answer.text
        );
    }
    assert_eq!(world.earnings().await, 250);
    assert_eq!(transfers(&world, "payout").await, 2);
    assert_books_balance(&world).await;
}

/// A refund that commits while a payout looks must not make its share look both earned and matured.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_beside_a_payout_is_never_paid_out() {
    let world = World::start().await;
    let package = world.package_for(1.0).await;
    let sales = join_all((0..12).map(|number| {
        let (world, package) = (&world, &package);
        async move { Sale::to(world, package, &format!("buyer-{number}"), 1.0).await }
    }))
    .await;
    let refunds = join_all(sales.iter().map(Sale::refund));
    let payouts = join_all((0..12).map(|_| request(&world, 0.01)));
    let (refunds, payouts) = tokio::join!(refunds, payouts);
    for refund in refunds {
        assert_eq!(refund.status, 200, "{}", refund.text);
    }
    for payout in payouts {
        assert_eq!(payout.status, 409, "{}", payout.text);
    }
    assert_eq!(world.earnings().await, 0);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_key_returns_the_first_payout() {
    let world = World::start().await;
    matured_sale(&world).await;
    let body = json!({ "amount": 2.0 });
    let answers = join_all((0..5).map(|_| request_once(&world, "key-1", &body))).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.data()["payoutId"], answers[0].data()["payoutId"]);
    }
    assert_eq!(world.earnings().await, 650);
    let other = request_once(&world, "key-1", &json!({ "amount": 3.0 })).await;
    assert_eq!(other.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    // A refusal is no answer to keep: the key works once the money is there.
    let dear = json!({ "amount": 8.5 });
    assert_eq!(request_once(&world, "key-2", &dear).await.status, 409);
    let id = answers[0].data()["payoutId"].clone();
    assert_eq!(
        give_back(&world, id.as_str().unwrap(), "x").await.status,
        200
    );
    assert_eq!(request_once(&world, "key-2", &dear).await.status, 201);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_ends_once_as_paid_or_as_returned() {
    let world = World::start().await;
    matured_sale(&world).await;
    for _ in 0..8 {
        let id = requested(&world, 1.0).await;
        let (paid, returned) = tokio::join!(
            pay(&world, &id, "transfer"),
            give_back(&world, &id, "account closed")
        );
        let (one, other) = if paid.status == 200 {
            (paid, returned)
        } else {
            (returned, paid)
        };
        assert_eq!(one.status, 200, "{}", one.text);
        assert_eq!(other.details()["reason"], "ENDED_BEFORE", "{}", other.text);
        assert_eq!(other.details()["status"], one.data()["status"]);
    }
    let paid = transfers(&world, "payout_paid").await;
    assert_eq!(paid + transfers(&world, "payout_returned").await, 8);
    assert_eq!(world.earnings().await, 850 - 100 * paid);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_payout_can_be_asked_for_again() {
    let world = World::start().await;
    matured_sale(&world).await;
    let id = requested(&world, 8.5).await;
    for _ in 0..2 {
        let returned = give_back(&world, &id, "account closed").await;
        assert_eq!(returned.data()["status"], "returned", "{}", returned.text);
    }
    let shown = world.seller.get(&format!("{PAYOUTS}/{id}")).await.data();
    assert_eq!(shown["reason"], "account closed");
    assert_eq!(world.earnings().await, 850);
    let again = requested(&world, 8.5).await;
    assert_ne!(again, id);
    assert_eq!(transfers(&world, "payout_returned").await, 1);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_share_is_not_paid_out() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 10.0).await;
    sale.age(&world, 29).await;
    world.stop_worker().await;
    assert_eq!(sale.dispute("corrupt").await.status, 201);
    sale.age(&world, 100).await;
    let refused = request(&world, 0.01).await;
    assert_eq!(refused.details()["available"], "0.00");
    assert_eq!(refused.details()["maturing"], "0.00");
    assert_books_balance(&world).await;
}

/// Whatever can be taken back is still there: at each age of a sale its seller draws all that there is, and
/// then the buyer or an operator takes the sale back, before and after a dispute.
#[tokio::test(flavor = "multi_thread")]
async fn no_refund_or_dispute_takes_a_seller_below_zero() {
    let world = World::start().await;
    let package = world.package_for(10.0).await;
    let dispute_then = async |sale: &Sale, decision: &str| {
        let opened = sale.dispute("other").await;
        if opened.status == 201 {
            let id = opened.data()["disputeId"].clone();
            let id = id.as_str().unwrap();
            let path = format!("/admin/disputes/{id}/decide");
            let body = json!({ "decision": decision, "note": "a test" });
            let decided = world.operator.post(&path, &body).await;
            assert_eq!(decided.status, 200, "{}", decided.text);
        }
    };
    for days in [0, 6, 8, 29, 30, 31, 400] {
        for end in ["refund", "dispute", "release", "operator"] {
            let sale = Sale::to(&world, &package, &format!("{end}-{days}"), 10.0).await;
            sale.age(&world, days).await;
            let earnings = world.seller.get("/api/ai/earnings").await.data();
            if let Some(cents) = earnings["availableMinor"].as_i64().filter(|it| *it > 0) {
                requested(&world, cents as f64 / 100.0).await;
            }
            match end {
                "refund" => drop(sale.refund().await),
                "dispute" => dispute_then(&sale, "refund").await,
                "release" => {
                    dispute_then(&sale, "release").await;
                    sale.refund().await;
                }
                _ => assert_eq!(sale.refund_by_operator(&world).await.status, 200),
            }
            assert!(world.earnings().await >= 0, "{end} after {days} days");
        }
        assert_books_balance(&world).await;
    }
    let paid_out = "select coalesce(sum(amount_minor), 0)::bigint from payouts";
    assert!(world.count(paid_out).await > 0, "something was drawn");
}

/// The platform decides to refund what its seller has drawn, so the platform bears it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_out_is_refunded_by_the_platform() {
    let world = World::start().await;
    let sale = matured_sale(&world).await;
    let id = requested(&world, 8.0).await;
    assert_eq!(pay(&world, &id, "transfer").await.status, 200);
    assert_eq!(sale.refund_by_operator(&world).await.status, 200);
    assert_eq!(world.earnings().await, 0);
    assert_eq!(world.credits(sale.buyer.id).await, (1_000, 0));
    assert_eq!(world.fees().await, -800);
    assert_eq!(
        request(&world, 0.01).await.details()["reason"],
        "NOT_ENOUGH_EARNINGS"
    );
    assert_books_balance(&world).await;
}

/// Earnings are drawn while what is about to mature is taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_beside_refunds_of_what_has_matured_takes_each_cent_once() {
    let world = World::start().await;
    let package = world.package_for(1.0).await;
    let sales = join_all((0..8).map(|number| {
        let (world, package) = (&world, &package);
        async move { Sale::to(world, package, &format!("buyer-{number}"), 1.0).await }
    }))
    .await;
    for sale in &sales {
        sale.age(&world, 31).await;
    }
    let refunds = join_all(sales.iter().map(|sale| sale.refund_by_operator(&world)));
    let payouts = join_all((0..8).map(|_| request(&world, 0.85)));
    let (refunds, payouts) = tokio::join!(refunds, payouts);
    assert!(refunds.iter().all(|refund| refund.status == 200));
    let made = payouts.iter().filter(|payout| payout.status == 201).count();
    let drawn = i64::try_from(made).unwrap() * 85;
    assert_eq!(world.earnings().await, 0);
    assert_eq!(world.fees().await, -drawn);
    assert_books_balance(&world).await;
}
