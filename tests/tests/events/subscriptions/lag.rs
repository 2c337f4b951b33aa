//! How far subscriptions are behind: for their owners, for operators, and in the metrics.

use common::events;
use common::telemetry::metrics;
use serde_json::json;
use tests::eventually;

use super::consumer::{Consumer, append, world};

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_of_a_subscription_is_what_it_has_not_acknowledged() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    let lag = async || {
        let shown = consumer.get().await;
        let figures = ["eventsBehind", "eventsHandedOut", "eventsParked"];
        let figures = figures.map(|figure| shown[figure].as_i64().unwrap());
        (figures, shown["lagSeconds"].as_f64().unwrap() > 3_000.0)
    };
    assert_eq!(lag().await, ([0, 0, 0], false));
    append(&world, &world.stranger, "orders-1", [1]).await;
    assert_eq!(lag().await, ([0, 0, 0], false), "what others do counts not");
    append(&world, &world.seller, "orders-1", 1..=5).await;
    world
        .force("update events set at = now() - interval '1 hour'")
        .await;
    assert_eq!(lag().await, ([5, 0, 0], true), "before it was ever fetched");
    let batch = consumer.fetch(2).await;
    assert_eq!(lag().await, ([3, 2, 0], true));
    consumer.acknowledge(&batch[..1]).await;
    assert_eq!(lag().await, ([3, 1, 0], true));
    consumer.acknowledge(&batch[1..]).await;
    let rest = consumer.fetch(9).await;
    consumer.acknowledge(&rest).await;
    assert_eq!(lag().await, ([0, 0, 0], false));
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_all_subscriptions_those_that_are_furthest_behind_first() {
    let world = world().await;
    let current = Consumer::subscribe(&world.seller, "current", json!({})).await;
    let slow = Consumer::subscribe(&world.seller, "slow", json!({})).await;
    Consumer::subscribe(&world.seller, "slowest", json!({})).await;
    Consumer::subscribe(&world.stranger, "idle", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=3).await;
    let batch = current.fetch(9).await;
    current.acknowledge(&batch).await;
    let batch = slow.fetch(9).await;
    slow.acknowledge(&batch[..1]).await;

    let mut seen = Vec::new();
    let mut path = "/admin/event-subscriptions?limit=1".to_owned();
    loop {
        let page = world.operator.get(&path).await.data();
        for row in page["subscriptions"].as_array().unwrap() {
            let figures = [&row["eventsBehind"], &row["eventsHandedOut"]];
            let name = row["name"].as_str().unwrap().to_owned();
            seen.push((name, figures.map(|figure| figure.as_i64().unwrap())));
        }
        match page["nextCursor"].as_str() {
            Some(next) => path = format!("/admin/event-subscriptions?limit=1&cursor={next}"),
            None => break,
        }
    }
    let at_the_end: Vec<&str> = seen[2..].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(seen[0], ("slowest".to_owned(), [3, 0]));
    assert_eq!(seen[1], ("slow".to_owned(), [0, 2]));
    assert_eq!(at_the_end, ["current", "idle"]);
    let refused = world.seller.get("/admin/event-subscriptions").await;
    assert_eq!(refused.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_how_many_are_behind_how_far_and_what_is_parked() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    Consumer::subscribe(&world.stranger, "idle", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=7).await;
    consumer.fetch(3).await;
    world
        .force("update events set at = now() - interval '1 hour'")
        .await;
    world
        .force(
            "update subscription_events set attempt = 10, due_at = now() - interval '1 hour' where attempt > 0",
        )
        .await;
    consumer.fetch(1).await;
    // The tests of this program share their metrics: another world's may stand there for a moment.
    eventually("the metrics show this world", || async {
        events::observe(&world.pool).await.unwrap();
        let metrics = &metrics().events;
        let count = |state| metrics.subscriptions.with_label_values(&[state]).get();
        let shown = (
            [count("behind"), count("current"), metrics.parked.get()],
            metrics.slowest_behind.get(),
            metrics.slowest_seconds.get() > 3_000.0,
        );
        (shown == ([1.0, 1.0, 3.0], 4.0, true)).then_some(())
    })
    .await;
}
