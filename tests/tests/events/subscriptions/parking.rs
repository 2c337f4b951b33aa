//! Events that no consumer acknowledges.

use common::limits::SUBSCRIPTION_ATTEMPTS_MAX;
use serde_json::{Value, json};
use tests::World;

use super::consumer::{Consumer, append, expire, numbers, world};

/// A subscription whose first event was handed out as often as it may be, and is due again.
async fn exhausted(world: &World) -> (Consumer, Vec<Value>) {
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(world, &world.seller, "orders-1", [1]).await;
    let mut batch = Vec::new();
    for attempt in 1..=SUBSCRIPTION_ATTEMPTS_MAX {
        batch = consumer.fetch(1).await;
        assert_eq!(batch[0]["attempt"], attempt);
        expire(world, &batch).await;
    }
    (consumer, batch)
}

async fn parked(consumer: &Consumer, query: &str) -> Value {
    let path = format!(
        "/api/ai/event-subscriptions/{}/parked?{query}",
        consumer.name
    );
    let answer = consumer.client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_attempts_an_event_is_parked_and_does_not_hold_up_the_rest() {
    let world = world().await;
    let (consumer, _) = exhausted(&world).await;
    append(&world, &world.seller, "orders-1", [2]).await;
    assert_eq!(
        numbers(&consumer.fetch(9).await),
        [2],
        "also of its own stream"
    );
    let page = parked(&consumer, "").await;
    let events = page["events"].as_array().unwrap();
    assert_eq!(numbers(events), [1]);
    assert_eq!(events[0]["attempt"], SUBSCRIPTION_ATTEMPTS_MAX);
    assert!(events[0]["parkedAt"].is_string());
    assert_eq!(consumer.get().await["eventsParked"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replaying_what_is_parked_moves_no_position_and_begins_its_attempts_anew() {
    let world = world().await;
    let (consumer, last) = exhausted(&world).await;
    append(&world, &world.seller, "orders-2", [2, 3]).await;
    let others = consumer.fetch(9).await;
    assert_eq!(numbers(&others), [2, 3]);
    consumer.acknowledge(&others).await;
    let cursor = consumer.get().await["cursor"].clone();

    let replayed = consumer.post("parked/replay", &Value::Null).await;
    assert_eq!(replayed.data()["replayed"], 1, "{}", replayed.text);
    assert_eq!(consumer.get().await["cursor"], cursor);
    assert_eq!(
        consumer.acknowledge(&last).await.0,
        0,
        "it will be handed out again"
    );
    let again = consumer.fetch(9).await;
    assert_eq!(numbers(&again), [1], "and nothing else comes again");
    assert_eq!(again[0]["attempt"], 1);
    assert_eq!(consumer.acknowledge(&again).await, (1, vec![]));
    assert_eq!(parked(&consumer, "").await["events"], json!([]));
    let nothing = consumer.post("parked/replay", &Value::Null).await;
    assert_eq!(nothing.data()["replayed"], 0);
    assert_eq!(consumer.get().await["cursor"], cursor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_event_that_is_acknowledged_after_all_is_gone() {
    let world = world().await;
    let (consumer, last) = exhausted(&world).await;
    assert_eq!(consumer.fetch(9).await, [] as [Value; 0]);
    assert_eq!(consumer.get().await["eventsParked"], 1);
    assert_eq!(
        consumer.release(&last, 0).await["released"],
        0,
        "replay it instead"
    );
    assert_eq!(consumer.acknowledge(&last).await, (1, vec![]));
    assert_eq!(consumer.get().await["eventsParked"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_events_are_listed_page_by_page() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=5).await;
    consumer.fetch(9).await;
    world
        .force("update subscription_events set attempt = 10, due_at = now() - interval '1 hour'")
        .await;
    consumer.fetch(9).await;
    let mut listed = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = parked(&consumer, &query).await;
        listed.extend(numbers(page["events"].as_array().unwrap()));
        match page["nextCursor"].as_str() {
            Some(next) => query = format!("limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, [1, 2, 3, 4, 5]);
}
