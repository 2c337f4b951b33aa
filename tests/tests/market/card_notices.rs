//! The card provider's notices: wake-up calls that nobody needs to believe.

use local::cards::{Outcome, method};
use serde_json::json;
use tests::World;
use tests::cards::{notice, signature};
use tests::world::Plan;

const NOTICES: &str = "select count(*) from payment_notices where kind = 'payment_intent.test'";
const TOP_UPS: &str = "select count(*) from transfers where kind = 'top_up'";

/// A payer at whom the provider waits, and its name of the payment. The provider itself is mute.
async fn one_that_waits(world: &World) -> (tests::market::User, String, String) {
    world.cards().send_webhooks_to(None);
    let buyer = world.buyer("buyer", 0).await;
    let waiting = buyer.client.top_up(method::AUTHENTICATION_REQUIRED).await;
    assert_eq!(waiting.status, 202, "{}", waiting.text);
    let url = waiting.header("location").to_owned();
    (buyer, url, world.only_intent())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_comes_often_counts_once() {
    let world = World::with_cards().await;
    let (buyer, url, intent) = one_that_waits(&world).await;
    world
        .cards()
        .release(&intent, Outcome::Succeed)
        .await
        .unwrap();
    let body = notice("evt_1", "payment_intent.test", &intent);
    let answers = futures::future::join_all((0..8).map(|_| world.give_notice(&body))).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(
        buyer.client.payment_ended(&url).await["status"],
        "succeeded"
    );
    assert_eq!(world.count(NOTICES).await, 1);
    let jobs = "select count(*) from jobs where name = 'process_payment'";
    assert_eq!(
        world.count(jobs).await,
        2,
        "the payment's own, and the notice's"
    );
    let more = notice("evt_2", "payment_intent.test", &intent);
    assert_eq!(world.give_notice(&more).await.status, 200);
    world
        .counts(
            "select count(*) from jobs where name = 'process_payment' and state = 'done'",
            3,
        )
        .await;
    assert_eq!(world.count(TOP_UPS).await, 1);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_lies_or_comes_too_early_changes_nothing() {
    let world = World::with_cards().await;
    let (buyer, url, intent) = one_that_waits(&world).await;
    for (id, kind) in [
        ("evt_1", "payment_intent.succeeded"),
        ("evt_2", "payment_intent.canceled"),
        ("evt_3", "payment_intent.created"),
    ] {
        assert_eq!(
            world.give_notice(&notice(id, kind, &intent)).await.status,
            200
        );
    }
    world
        .counts(
            "select count(*) from jobs where name = 'process_payment' and state = 'done'",
            4,
        )
        .await;
    assert_eq!(
        buyer.client.get(&url).await.data()["status"],
        "requires_action"
    );
    assert_eq!(world.credits(buyer.id).await, (0, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_believed_only_with_a_fresh_signature_of_ours() {
    let world = World::with_cards().await;
    let (_, _, intent) = one_that_waits(&world).await;
    let body = notice("evt_1", "payment_intent.test", &intent);
    let other = notice("evt_2", "payment_intent.test", &intent);
    for header in [
        signature("whsec_other", &body, 0),
        signature("whsec_sandbox", &body, 301),
        signature("whsec_sandbox", &body, -301),
        signature("whsec_sandbox", &other, 0),
        "nonsense".to_owned(),
        String::new(),
    ] {
        let refused = world.give_notice_signed(&body, &header).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{header}"
        );
    }
    let large = format!("{body}{}", " ".repeat(64 * 1024));
    assert_eq!(world.give_notice(&large).await.status, 413);
    assert_eq!(world.count(NOTICES).await, 0);
    assert_eq!(world.give_notice(&body).await.status, 200);
    assert_eq!(world.count(NOTICES).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_about_another_customers_payment_is_thanked_for_and_wakes_nobody() {
    let world = World::with_cards().await;
    let body = notice("evt_1", "payment_intent.test", "pi_of_somebody_else");
    assert_eq!(world.give_notice(&body).await.status, 200);
    assert_eq!(world.give_notice(&body).await.status, 200);
    assert_eq!(world.count(NOTICES).await, 1);
    assert_eq!(world.count("select count(*) from jobs").await, 0);
}

/// A charge's event shows no metadata, so it cannot say whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_comes_before_its_payment_has_a_name_is_kept_until_it_has() {
    let mut world = World::planned(Plan {
        scheduler: false,
        cards: true,
        ..Plan::default()
    })
    .await;
    world.cards().send_webhooks_to(None);
    let buyer = world.buyer("buyer", 0).await;
    let doubtful = buyer.client.top_up(method::LOST).await;
    assert_eq!(doubtful.data()["status"], "unknown", "{}", doubtful.text);
    let charge = json!({
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.test",
        "created": 1_700_000_000,
        "data": { "object": { "id": "ch_1", "object": "charge", "payment_intent": world.only_intent() } },
    });
    assert_eq!(world.give_notice(&charge.to_string()).await.status, 200);
    let early = "select count(*) from payment_notices where payment_id is null";
    assert_eq!(world.count(early).await, 1);
    world
        .change("update payments set next_look_at = now()")
        .await;
    world.start_scheduler().await;
    let url = doubtful.header("location");
    assert_eq!(buyer.client.payment_ended(url).await["status"], "succeeded");
    assert_eq!(world.count(early).await, 0);
    assert_eq!(world.count(NOTICES).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_signed_is_taken_or_refused_and_never_our_fault() {
    let world = World::with_cards().await;
    let event = |name: &str, value: &str| {
        let field = |own: &str, usual: &str| {
            if name == own {
                value.to_owned()
            } else {
                usual.to_owned()
            }
        };
        format!(
            r#"{{"id":{},"object":{},"type":{},"created":{},"data":{}}}"#,
            field("id", "\"evt_1\""),
            field("object", "\"event\""),
            field("type", "\"payment_intent.test\""),
            field("created", "1700000000"),
            field(
                "data",
                r#"{"object":{"object":"payment_intent","id":"pi_1"}}"#
            ),
        )
    };
    let long = format!("\"{}\"", "x".repeat(10_000));
    for value in [
        "null",
        "1",
        "-1",
        "9223372036854775807",
        "1e400",
        "[]",
        "{}",
        "true",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\u202e\"",
        &long,
        r#"{"object":{"object":"payment_intent","id":"\u0000"}}"#,
        r#"{"object":{"object":"payment_intent","id":"pi_1","metadata":{"\u0000":"\u0000"}}}"#,
    ] {
        for name in ["id", "object", "type", "created", "data"] {
            let body = event(name, value);
            let answer = world.give_notice(&body).await;
            assert!(
                matches!(answer.status, 200 | 400),
                "{body}: {}",
                answer.text
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_cannot_be_kept_is_answered_so_that_it_comes_again() {
    let world = World::with_cards().await;
    let (_, _, intent) = one_that_waits(&world).await;
    let body = notice("evt_1", "payment_intent.test", &intent);
    let mut blocker = common::db::begin(&world.pool).await.unwrap();
    sqlx::query("set local idle_in_transaction_session_timeout = 0")
        .execute(&mut *blocker)
        .await
        .unwrap();
    sqlx::query("lock table payment_notices in access exclusive mode")
        .execute(&mut *blocker)
        .await
        .unwrap();
    let refused = world.give_notice(&body).await;
    assert_eq!(refused.fault(), (503, "SERVICE_UNAVAILABLE".to_owned()));
    blocker.rollback().await.unwrap();
    assert_eq!(world.give_notice(&body).await.status, 200);
    assert_eq!(world.count(NOTICES).await, 1);
}
