//! The history of the market: uploads, purchases, tasks and disputes are what their events say.

use common::events::{self, Consumer, LoggedEvent, Reaction};
use common::outbox::Tx;
use futures::FutureExt as _;
use futures::future::join_all;
use serde_json::json;
use tests::{DEADLINE, Sample, World, eventually};

async fn types_seen(client: &tests::Client, query: &str) -> Vec<String> {
    let answer = client
        .get(&format!("/api/ai/events?limit=50&{query}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let data = answer.data();
    let events = data["events"].as_array().unwrap().iter();
    events
        .map(|event| event["eventType"].as_str().unwrap().to_owned())
        .collect()
}

async fn assert_explained(world: &World, aggregates: u64) {
    let (compared, differences) = events::verify(&world.pool, None).await.unwrap();
    assert_eq!(differences, []);
    assert_eq!(compared, aggregates);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_and_its_dispute_are_what_their_events_say_and_both_sides_see_their_part() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 10_000).await;
    let bought = buyer.client.buy(&package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    let purchase: String =
        sqlx::query_scalar("select name from event_streams where name like 'purchase-%'")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    let id = purchase.strip_prefix("purchase-").unwrap();
    let path = format!("/api/ai/purchases/{id}/disputes");
    let claim = json!({ "reason": "not_as_described", "description": "It is something else." });
    let disputed = buyer.client.post(&path, &claim).await;
    assert!(disputed.status < 300, "{}", disputed.text);

    eventually("the buyer sees it all", || async {
        let seen = types_seen(&buyer.client, &format!("ids={id}")).await;
        (seen == ["purchase.held", "purchase.completed", "purchase.disputed"]).then_some(())
    })
    .await;
    // That somebody tried to buy is not the seller's to know, nor who.
    let seen = types_seen(&world.seller, &format!("ids={purchase}")).await;
    assert_eq!(seen, ["purchase.completed", "purchase.disputed"]);
    assert_eq!(types_seen(&world.stranger, "").await, Vec::<String>::new());
    let text = world.seller.get("/api/ai/events?limit=50").await.text;
    assert!(!text.contains(&buyer.id.to_string()), "{text}");
    let path = format!("/admin/event-streams/{purchase}");
    let replayed = world.operator.get(&path).await.data();
    assert_eq!(replayed["state"]["state"], "disputed", "{replayed}");
    let events = replayed["events"].as_array().unwrap().iter().rev();
    let causes: Vec<(&str, bool)> = events
        .map(|event| {
            (
                event["eventType"].as_str().unwrap(),
                event["jobId"].is_string(),
            )
        })
        .collect();
    let expected = [
        ("purchase.held", false),
        ("purchase.completed", true),
        ("purchase.disputed", false),
    ];
    assert_eq!(causes, expected, "a request, its job, a request");
    // An upload, a purchase, a dispute.
    assert_explained(&world, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sequencer_is_woken_by_a_settlement_as_by_a_purchase() {
    let world = World::start().await;
    let package = world.package_for(5.0).await;
    let buyer = world.buyer("buyer", 10_000).await;
    let outbox = world.outbox().await;
    let mut appended = outbox.queue().subscribe(events::APPENDED);
    // The first message says that the topic is heard.
    assert_eq!(appended.recv().await.unwrap(), "");
    let bought = buyer.client.buy(&package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    for event in ["purchase.held", "purchase.completed"] {
        let announced = tokio::time::timeout(DEADLINE, appended.recv()).await;
        assert!(announced.is_ok(), "{event} was not announced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_is_what_its_events_say() {
    let world = World::start().await;
    let mut sample = Sample::vector(7);
    sample.package = b"no package".to_vec();
    let request = sample.request();
    let accepted = world.seller.upload(&request).await;
    let ended = world.seller.ended(&accepted.upload_id()).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert_explained(&world, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_changed_behind_its_history_is_found() {
    let world = World::start().await;
    world.package_for(5.0).await;
    world
        .force("update uploads set status = 'failed', package_id = null, error_code = 'FORGED'")
        .await;
    let (_, differences) = events::verify(&world.pool, None).await.unwrap();
    let facts: Vec<&str> = differences
        .iter()
        .map(|found| found.fact.as_str())
        .collect();
    assert_eq!(facts, ["code", "state", "packageId"]);
    assert_eq!(differences[0].of_row, json!("FORGED"));
    assert_eq!(differences[1].of_events, json!("completed"));
}

fn count_them<'a>(tx: &'a mut Tx, events: &'a [LoggedEvent]) -> Reaction<'a> {
    async move {
        for event in events {
            sqlx::query("insert into reactions (stream, version) values ($1, $2)")
                .bind(event.stream)
                .bind(event.version)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }
    .boxed()
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_run_at_once_react_to_each_event_once_and_in_order() {
    let mut world = World::only_api().await;
    world.start_scheduler().await;
    world
        .force("create table reactions (nth bigint generated always as identity, stream uuid, version bigint)")
        .await;
    world
        .force("grant insert on reactions to awareness_app")
        .await;
    let body = |n: i64| json!({ "events": [{ "eventType": "order.new", "data": { "n": n } }, { "eventType": "cart.new", "data": {} }] });
    for n in 1..=40 {
        let path = format!("/api/ai/event-streams/orders-{}/events", n % 3);
        assert_eq!(world.seller.post(&path, &body(n)).await.status, 201);
    }
    let consumer = Consumer {
        name: "counter",
        types: &["order.*"],
        react: count_them,
    };
    let outbox = world.outbox().await;
    eventually("it has dealt with all", || async {
        join_all((0..4).map(|_| events::consume_next(&outbox, &consumer))).await;
        let done: i64 = sqlx::query_scalar(
            "select count(*)
             from event_consumers
             cross join event_head
             where name = 'counter'
               and position = last
               and not exists (select from event_pending)",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        (done == 1).then_some(())
    })
    .await;
    let reactions =
        "select count(*) from (select distinct stream, version from reactions) as reacted";
    assert_eq!(world.count(reactions).await, 40);
    assert_eq!(world.count("select count(*) from reactions").await, 40);
    let inverted = "select count(*)
         from reactions as one
         join reactions as other on other.stream = one.stream and other.nth > one.nth and other.version < one.version";
    assert_eq!(world.count(inverted).await, 0);
}
