//! The card provider's notices: wake-up calls that nobody needs to believe.

use local::cards::{Outcome, method};
use tests::World;
use tests::cards::{notice, signature};

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
async fn a_notice_about_another_customers_payment_is_thanked_for_and_forgotten() {
    let world = World::with_cards().await;
    let body = notice("evt_1", "payment_intent.test", "pi_of_somebody_else");
    assert_eq!(world.give_notice(&body).await.status, 200);
    assert_eq!(world.count(NOTICES).await, 0);
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
