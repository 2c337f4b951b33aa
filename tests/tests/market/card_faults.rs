//! Card payments under faults of ours: killed workers, copies of a job, operators, and wrong code.

use common::cards::{Cards, NewIntent};
use common::db::constraint_of;
use common::ids::{PaymentId, WorkerId};
use common::jobs::Leaser;
use common::payments::{self, Verdict};
use common::queue::Wake;
use common::reqwest::Method;
use local::cards::{Outcome, method};
use scheduler::sweeps::sweep_payments;
use serde_json::json;
use tests::World;
use tests::cards::{TOP_UPS, notice, top_up_of};
use tests::client::send;
use tests::market::User;
use tests::world::Plan;
use uuid::Uuid;

const TOP_UP_TRANSFERS: &str = "select count(*) from transfers where kind = 'top_up'";

pub(super) async fn world_without_worker() -> World {
    World::planned(Plan {
        worker: false,
        cards: true,
        ..Plan::default()
    })
    .await
}

/// A top-up that is only accepted: its payer and its address.
pub(super) async fn accepted(world: &World) -> (User, String) {
    let buyer = world.buyer("buyer", 0).await;
    let post = buyer.client.request(Method::POST, TOP_UPS);
    let post = post
        .header("prefer", "wait=0")
        .json(&top_up_of(method::VISA));
    let taken = send(post).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    assert_eq!(taken.data()["status"], "created");
    (buyer, taken.header("location").to_owned())
}

fn provider(world: &World) -> Cards {
    Cards::new(&world.cards().card_config()).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_between_charge_and_commit_charges_and_credits_once() {
    let mut world = world_without_worker().await;
    let (buyer, url) = accepted(&world).await;
    let (job, subject): (Uuid, Uuid) =
        sqlx::query_as("select id, subject from jobs where name = 'process_payment'")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    // A worker that takes the job, has the card charged, and is never heard of again.
    let leaser = Leaser::start(world.pool.clone(), WorkerId::new());
    let wake = Wake {
        job,
        fence: 0,
        trace: None,
    };
    leaser
        .lease(wake)
        .await
        .unwrap()
        .expect("a job that is due");
    let payment = payments::find(&world.pool, PaymentId(subject))
        .await
        .unwrap()
        .unwrap();
    let answer = payments::consult(&world.pool, &provider(&world), &payment)
        .await
        .unwrap();
    assert_eq!(answer.verdict, Verdict::Paid);
    assert_eq!(world.cards().charges().len(), 1);
    assert_eq!(world.credits(buyer.id).await, (0, 0));

    world.start_worker().await;
    assert_eq!(
        buyer.client.payment_ended(&url).await["status"],
        "succeeded"
    );
    assert_eq!(world.cards().charges().len(), 1);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_copies_of_the_job_at_once_and_again_credit_once() {
    let mut world = world_without_worker().await;
    // No job but these.
    world.cards().send_webhooks_to(None);
    let (buyer, url) = accepted(&world).await;
    let copied = world
        .change(
            "insert into jobs (id, name, queue, lane, tenant, subject, trace)
             select gen_random_uuid(), name, queue, lane, tenant, subject, trace
             from jobs, generate_series(1, 9)
             where name = 'process_payment'",
        )
        .await;
    assert_eq!(copied, 9);
    world.start_worker().await;
    let done = "select count(*) from jobs where name = 'process_payment' and state = 'done'";
    world.counts(done, 10).await;
    world
        .change(
            "update jobs
             set state = 'ready', finished_at = null, run_at = now()
             where name = 'process_payment'",
        )
        .await;
    world.counts(done, 10).await;
    assert_eq!(buyer.client.get(&url).await.data()["status"], "succeeded");
    assert_eq!(world.cards().charges().len(), 1);
    assert_eq!(world.count(TOP_UP_TRANSFERS).await, 1);
    let said = "select count(*) from events where event_type = 'payment.succeeded'";
    assert_eq!(world.count(said).await, 1);
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_fails_no_purchase_whose_card_may_have_been_charged() {
    let mut world = World::with_cards().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 0).await;
    world.stop_worker().await;
    let accepted = buyer
        .client
        .buy_by_card_without_waiting(&package, method::VISA)
        .await;
    let url = accepted.header("location").to_owned();
    let list = world
        .operator
        .get("/admin/jobs?name=process_payment")
        .await
        .data();
    let job = list["jobs"][0]["id"].as_str().unwrap();
    let cancelled = world
        .operator
        .post(
            &format!("/admin/jobs/{job}/cancel"),
            &json!({ "reason": "by hand" }),
        )
        .await;
    assert_eq!(cancelled.status, 202, "{}", cancelled.text);
    let status = buyer.client.get(&url).await.data();
    assert_eq!(status["status"], "payment_unknown");

    let seen = world
        .operator
        .get("/admin/payments?state=unknown")
        .await
        .data();
    let payment = &seen["payments"][0];
    assert_eq!(payment["message"], "by hand");
    assert_eq!(payment["id"], status["payment"]["paymentId"]);
    let path = format!("/admin/payments/{}", payment["id"].as_str().unwrap());
    assert_eq!(world.operator.get(&path).await.data()["state"], "unknown");
    assert_eq!(buyer.client.get(&path).await.status, 401);

    world.start_worker().await;
    world.sweep_the_open_payment().await;
    assert_eq!(buyer.client.payment_ended(&url).await["status"], "settled");
    assert_eq!(world.cards().charges().len(), 1);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_not_ours_as_it_should_be_is_set_aside_for_an_operator() {
    let mut world = world_without_worker().await;
    world.cards().send_webhooks_to(None);
    let (buyer, url) = accepted(&world).await;
    let other = NewIntent {
        amount_minor: 50,
        currency: "USD",
        payment_method: Some(method::VISA.to_owned()),
        idempotency_key: "of-another-payment",
        description: "Something cheaper",
        metadata: &[],
    };
    let other = provider(&world).create_intent(&other).await.unwrap();
    sqlx::query("update payments set provider_id = $1, sent_at = now()")
        .bind(&other.id)
        .execute(&world.pool)
        .await
        .unwrap();
    world.start_worker().await;
    world
        .counts(
            "select count(*) from jobs where name = 'process_payment' and state = 'quarantined'",
            1,
        )
        .await;
    assert_eq!(buyer.client.get(&url).await.data()["status"], "unknown");
    assert_eq!(world.count(TOP_UP_TRANSFERS).await, 0);
    // The sweep leaves it to the operator.
    world
        .change("update payments set next_look_at = now()")
        .await;
    sweep_payments(&world.outbox().await).await.unwrap();
    assert_eq!(world.count("select count(*) from jobs").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_notice_is_made_up_for_by_the_sweep() {
    let world = World::with_cards().await;
    world.cards().send_webhooks_to(None);
    let buyer = world.buyer("buyer", 0).await;
    let waiting = buyer.client.top_up(method::AUTHENTICATION_REQUIRED).await;
    world
        .cards()
        .release(&world.only_intent(), Outcome::Succeed)
        .await
        .unwrap();
    let outbox = world.outbox().await;
    sweep_payments(&outbox).await.unwrap();
    let jobs = "select count(*) from jobs where name = 'process_payment'";
    assert_eq!(world.count(jobs).await, 1, "its time has not come");
    world.sweep_the_open_payment().await;
    let ended = buyer.client.payment_ended(waiting.header("location")).await;
    assert_eq!(ended["status"], "succeeded");
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_arrives_after_a_payment_was_given_up_is_credited() {
    let world = World::with_cards().await;
    world.cards().send_webhooks_to(None);
    let buyer = world.buyer("buyer", 0).await;
    buyer.client.top_up(method::AUTHENTICATION_REQUIRED).await;
    world
        .change(
            "update payments
             set state = 'canceled', reason_code = 'PAYMENT_CANCELED', client_secret = null, finished_at = now()",
        )
        .await;
    let intent = world.only_intent();
    world
        .cards()
        .release(&intent, Outcome::Succeed)
        .await
        .unwrap();
    let body = notice("evt_1", "payment_intent.succeeded", &intent);
    assert_eq!(world.give_notice(&body).await.status, 200);
    world
        .counts("select count(*) from payments where state = 'succeeded'", 1)
        .await;
    assert_eq!(world.credits(buyer.id).await, (2_000, 0));
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_never_sent_in_time_never_is() {
    let mut world = world_without_worker().await;
    let (buyer, url) = accepted(&world).await;
    world
        .change("update payments set expires_at = now() - interval '1 second'")
        .await;
    world.start_worker().await;
    let ended = buyer.client.payment_ended(&url).await;
    assert_eq!(ended["status"], "canceled");
    assert_eq!(ended["errorCode"], "PAYMENT_EXPIRED");
    assert_eq!(world.cards().intents(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_provider_may_have_forgotten_is_not_used_again() {
    let mut world = world_without_worker().await;
    let (_, _) = accepted(&world).await;
    world
        .change("update payments set sent_at = now() - interval '24 hours'")
        .await;
    world.start_worker().await;
    world
        .counts(
            "select count(*) from jobs where name = 'process_payment' and state = 'quarantined'",
            1,
        )
        .await;
    assert_eq!(world.cards().intents(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_names_a_payment_whose_creation_was_never_answered() {
    let mut world = world_without_worker().await;
    let (buyer, url) = accepted(&world).await;
    // Too long ago to create it again.
    world
        .change("update payments set sent_at = now() - interval '24 hours'")
        .await;
    let id = url.rsplit('/').next().unwrap();
    let new = NewIntent {
        amount_minor: 2_000,
        currency: "USD",
        payment_method: Some(method::VISA.to_owned()),
        idempotency_key: id,
        description: "As a worker that was killed asked for it",
        metadata: &[("payment_id", id.to_owned())],
    };
    provider(&world).create_intent(&new).await.unwrap();
    world
        .counts(
            "select count(*) from payments where provider_id is not null",
            1,
        )
        .await;
    world.start_worker().await;
    let ended = buyer.client.payment_ended(&url).await;
    assert_eq!(ended["status"], "succeeded");
    assert_eq!(world.cards().charges().len(), 1);
    world.assert_money_is_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_lets_no_payment_succeed_without_its_credit_or_go_back() {
    let world = World::with_cards().await;
    let buyer = world.buyer("buyer", 0).await;
    buyer.client.top_up(method::AUTHENTICATION_REQUIRED).await;
    for (statement, constraint) in [
        (
            "update payments set state = 'succeeded', client_secret = null, finished_at = now()",
            "payments_credited",
        ),
        (
            "update payments set state = 'created'",
            "payments_state_order",
        ),
        (
            "update payments set amount_minor = 1",
            "payments_keep_terms",
        ),
        (
            "update payments set provider_id = 'pi_other'",
            "payments_keep_terms",
        ),
        (
            "update payments set state = 'failed'",
            "payments_failed_has_reason",
        ),
        ("delete from payments", "payments_append_only"),
    ] {
        let refused = sqlx::query(statement)
            .execute(&world.pool)
            .await
            .unwrap_err();
        let broken = constraint_of(&refused);
        // The services may not even try to delete.
        let is_denied = statement.starts_with("delete") && broken.is_none();
        assert!(
            is_denied || broken == Some(constraint),
            "{statement}: {refused}"
        );
    }
    let intent = world.only_intent();
    world
        .cards()
        .release(&intent, Outcome::Succeed)
        .await
        .unwrap();
    world
        .counts("select count(*) from payments where state = 'succeeded'", 1)
        .await;
    let back = "update payments set state = 'unknown', finished_at = null";
    let refused = sqlx::query(back).execute(&world.pool).await.unwrap_err();
    assert_eq!(constraint_of(&refused), Some("payments_state_order"));
}
