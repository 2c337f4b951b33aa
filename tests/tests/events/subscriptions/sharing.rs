//! Several consumers of one subscription.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use serde_json::{Value, json};
use tests::World;
use tests::random::{Random, seed_from};

use super::consumer::{Consumer, append, expire, numbers, world};

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_with_two_consumers_while_its_deadline_runs() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    for n in 1..=90 {
        append(&world, &world.seller, &format!("orders-{n}"), [n]).await;
    }
    let fetches = (0..30).map(|_| {
        let consumer = consumer.clone();
        tokio::spawn(async move { consumer.fetch(4).await })
    });
    let mut held = Vec::new();
    for batch in join_all(fetches).await {
        held.extend(numbers(&batch.unwrap()));
    }
    assert_eq!(held.len(), 90);
    let each_once: HashSet<i64> = held.into_iter().collect();
    assert_eq!(each_once, (1..=90).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_with_one_consumer_until_it_is_acknowledged() {
    let world = world().await;
    let first = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", [1, 2, 3]).await;
    append(&world, &world.seller, "orders-2", [4]).await;
    let second = first.clone();
    let held = first.fetch(2).await;
    assert_eq!(numbers(&held), [1, 2]);
    assert_eq!(numbers(&second.fetch(9).await), [4]);
    // Also if the other is done with an earlier one, or gives it back.
    first.acknowledge(&held[..1]).await;
    assert_eq!(second.fetch(9).await, [] as [Value; 0]);
    first.release(&held[1..], 0).await;
    assert_eq!(numbers(&second.fetch(9).await), [2, 3]);
}

/// What consumers were given, in the order in which they got it.
type Received = Arc<Mutex<Vec<(String, i64)>>>;

/// Deals with batches of random sizes until everything is acknowledged; every fourth batch it dies and forgets.
async fn consume(world: &World, consumer: Consumer, mut random: Random, received: Received) {
    let done = "select count(*) from event_subscriptions
         where not exists (select from subscription_events)
           and position = (select last from event_head)";
    while world.count(done).await == 0 {
        let limit = 1 + usize::try_from(random.below(9)).unwrap();
        let batch = consumer.fetch(limit).await;
        {
            let mut received = received.lock().unwrap();
            for event in &batch {
                let stream = event["stream"].as_str().unwrap().to_owned();
                received.push((stream, event["version"].as_i64().unwrap()));
            }
        }
        if batch.is_empty() {
            tokio::task::yield_now().await;
        } else if random.below(4) == 0 {
            expire(world, &batch[..1]).await;
        } else {
            let (done, late) = consumer.acknowledge(&batch).await;
            assert_eq!((done, late), (i64::try_from(batch.len()).unwrap(), vec![]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streams_events_come_in_their_order_to_whoever_gets_them_also_when_consumers_die() {
    let world = Arc::new(world().await);
    let seed = seed_from("AWARENESS_SEED");
    println!("AWARENESS_SEED={seed}");
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    for n in 0..120 {
        append(&world, &world.seller, &format!("orders-{}", n % 7), [n]).await;
    }
    let received = Received::default();
    let consumers = (0..4).map(|number| {
        let (world, consumer, received) =
            (Arc::clone(&world), consumer.clone(), Arc::clone(&received));
        let random = Random::stream(seed, number);
        tokio::spawn(async move { consume(&world, consumer, random, received).await })
    });
    for consumer in join_all(consumers).await {
        consumer.unwrap();
    }
    let mut newest: HashMap<String, i64> = HashMap::new();
    for (stream, version) in received.lock().unwrap().iter() {
        let newest = newest.entry(stream.clone()).or_default();
        // One that comes again is not newer than the one after the newest: none was left out.
        assert!(*version <= *newest + 1, "{stream} skipped to {version}");
        *newest = (*newest).max(*version);
    }
    let versions: i64 = newest.values().sum();
    assert_eq!(versions, 120, "all came: {newest:?}");
}
