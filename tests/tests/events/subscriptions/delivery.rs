//! At least once, until it is acknowledged: deadlines, fences, deaths and restarts.

use serde_json::{Value, json};

use super::consumer::{Consumer, acknowledgements, append, expire, numbers, world};

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_events_never_come_again_and_others_do_after_their_deadline() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    for n in 1..=4 {
        append(&world, &world.seller, &format!("orders-{n}"), [n]).await;
    }
    let batch = consumer.fetch(3).await;
    assert_eq!(numbers(&batch), [1, 2, 3]);
    assert_eq!(batch[0]["stream"], "orders-1");
    assert_eq!(batch[0]["attempt"], 1);
    assert_eq!(consumer.acknowledge(&batch[..2]).await, (2, vec![]));
    let rest = consumer.fetch(9).await;
    assert_eq!(numbers(&rest), [4], "the deadline of 3 is not over");

    expire(&world, &batch[2..]).await;
    let again = consumer.fetch(9).await;
    assert_eq!(numbers(&again), [3]);
    assert_eq!(again[0]["attempt"], 2);
    consumer.acknowledge(&again).await;
    consumer.acknowledge(&rest).await;
    expire(&world, &batch).await;
    assert_eq!(consumer.fetch(9).await, [] as [Value; 0]);
    assert_eq!(
        world
            .count("select count(*) from subscription_events")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_dies_before_it_acknowledges_loses_nothing() {
    let world = world().await;
    let first = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=50).await;
    let lost = first.fetch(50).await;
    assert_eq!(lost.len(), 50);
    // It dies here. Another one of the same account takes over.
    expire(&world, &lost[..1]).await;
    let second = first.clone();
    let taken = second.fetch(50).await;
    assert_eq!(numbers(&taken), (1..=50).collect::<Vec<i64>>());
    assert!(taken.iter().all(|event| event["attempt"] == 2));
    assert_eq!(second.acknowledge(&taken).await, (50, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_fetch_and_acknowledgement_changes_nothing() {
    let mut world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=3).await;
    let batch = consumer.fetch(2).await;
    let before = consumer.get().await;
    world.restart().await;
    let after = consumer.get().await;
    for field in ["cursor", "eventsHandedOut", "eventsBehind"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert_eq!(
        consumer.fetch(9).await,
        [] as [Value; 0],
        "its stream is handed out"
    );
    assert_eq!(consumer.acknowledge(&batch).await, (2, vec![]));
    assert_eq!(numbers(&consumer.fetch(9).await), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_acknowledgement_is_refused_and_harmless() {
    let world = world().await;
    let slow = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", [1]).await;
    let first = slow.fetch(1).await;
    expire(&world, &first).await;
    let quick = slow.clone();
    let second = quick.fetch(1).await;
    assert_eq!(numbers(&second), [1]);

    let late = acknowledgements(&first);
    assert_eq!(slow.acknowledge(&first).await, (0, late.clone()));
    assert_eq!(slow.release(&first, 0).await["late"], json!(late));
    assert_eq!(
        slow.get().await["eventsHandedOut"],
        1,
        "the other still has it"
    );
    assert_eq!(quick.acknowledge(&second).await, (1, vec![]));
    // Twice is fine, and so is an acknowledgement of what somebody else has dealt with.
    assert_eq!(quick.acknowledge(&second).await, (1, vec![]));
    assert_eq!(slow.acknowledge(&first).await, (1, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_acknowledgement_of_a_subscription_that_was_made_again_is_late() {
    let world = world().await;
    let old = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", [1]).await;
    let batch = old.fetch(1).await;
    let path = "/api/ai/event-subscriptions/billing";
    assert_eq!(world.seller.delete(path).await.status, 204);
    let new = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    let late = acknowledgements(&batch);
    assert_eq!(
        new.acknowledge(&batch).await,
        (0, late.clone()),
        "not fetched"
    );
    let again = new.fetch(1).await;
    assert_eq!(new.acknowledge(&batch).await, (0, late));
    assert_eq!(new.acknowledge(&again).await, (1, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_comes_again_when_its_consumer_says() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", [1, 2]).await;
    append(&world, &world.seller, "orders-2", [3]).await;
    let batch = consumer.fetch(1).await;
    assert_eq!(consumer.release(&batch, 0).await["released"], 1);
    let again = consumer.fetch(1).await;
    assert_eq!(
        (numbers(&again), &again[0]["attempt"]),
        (vec![1], &json!(2))
    );
    consumer.release(&again, 3600).await;
    let others = consumer.fetch(9).await;
    assert_eq!(
        numbers(&others),
        [3],
        "what follows it in its stream waits for it"
    );
    expire(&world, &again).await;
    assert_eq!(numbers(&consumer.fetch(9).await), [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_hands_out_again_what_lies_after_it_and_nothing_that_lies_before() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=5).await;
    let batch = consumer.fetch(9).await;
    consumer.acknowledge(&batch[..4]).await;
    let to = json!({ "to": batch[1]["cursor"] });
    let moved = consumer.post("seek", &to).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(moved.data()["cursor"], batch[1]["cursor"]);
    let late = acknowledgements(&batch[4..]);
    assert_eq!(consumer.acknowledge(&batch[4..]).await, (0, late));
    assert_eq!(numbers(&consumer.fetch(9).await), [3, 4, 5]);

    consumer.post("seek", &json!({ "to": "latest" })).await;
    append(&world, &world.seller, "orders-1", [6]).await;
    assert_eq!(numbers(&consumer.fetch(9).await), [6]);
    consumer.post("seek", &json!({ "to": "earliest" })).await;
    assert_eq!(numbers(&consumer.fetch(9).await), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_pruned_meanwhile_holds_nothing_up() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", 1..=2).await;
    let batch = consumer.fetch(9).await;
    expire(&world, &batch).await;
    world
        .force("delete from event_order where position = 1")
        .await;
    append(&world, &world.seller, "orders-2", [3]).await;
    assert_eq!(numbers(&consumer.fetch(9).await), [2, 3]);
    let held = "select count(*) from subscription_events";
    assert_eq!(world.count(held).await, 2);
}
