//! Subscriptions themselves: made once, filtered, bounded, deleted, and nobody else's.

use std::time::Duration;

use common::events;
use common::limits::{EVENT_SUBSCRIPTIONS_MAX, SUBSCRIPTION_WINDOW_MAX};
use serde_json::{Value, json};

use super::consumer::{Consumer, append, numbers, world};

const PATH: &str = "/api/ai/event-subscriptions";

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_twice_for_the_same_subscription_gets_the_same() {
    let world = world().await;
    append(&world, &world.seller, "orders-1", [1]).await;
    let body = json!({ "name": "billing", "types": ["b.*", "a.*"], "from": "latest" });
    let made = world.seller.post(PATH, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("location"), format!("{PATH}/billing"));
    assert_eq!(made.data()["types"], json!(["a.*", "b.*"]));
    assert_eq!(made.data()["ackSeconds"], 30);

    // Where it began counts no more.
    let body = json!({ "name": "billing", "types": ["a.*", "b.*", "a.*"], "from": "earliest" });
    let again = world.seller.post(PATH, &body).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(again.data()["cursor"], made.data()["cursor"]);
    for other in [
        json!({ "name": "billing" }),
        json!({ "name": "billing", "types": ["a.*", "b.*"], "ids": ["orders-1"] }),
        json!({ "name": "billing", "types": ["a.*", "b.*"], "ackSeconds": 31 }),
    ] {
        let refused = world.seller.post(PATH, &other).await;
        assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()), "{other}");
        assert_eq!(refused.details()["reason"], "DIFFERS");
    }
    // The name is each account's own.
    let own = world
        .stranger
        .post(PATH, &json!({ "name": "billing" }))
        .await;
    assert_eq!(own.status, 201, "{}", own.text);
    let list = world.seller.get(PATH).await.data();
    assert_eq!(list["subscriptions"].as_array().unwrap().len(), 1);
    assert_eq!(list["subscriptions"][0], again.data());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_subscription_is_refused_by_its_field() {
    let world = world().await;
    let epoch: i64 = world.count("select epoch::bigint from event_head").await;
    for (fault, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "a b" }), "name"),
        (json!({ "name": ".." }), "name"),
        (json!({ "name": "a".repeat(65) }), "name"),
        (json!({ "types": ["a*"] }), "types"),
        (json!({ "types": vec!["a"; 33] }), "types"),
        (json!({ "ids": ["a b"] }), "ids"),
        (json!({ "ids": [""] }), "ids"),
        (json!({ "ackSeconds": 0 }), "ackSeconds"),
        (json!({ "ackSeconds": 3601 }), "ackSeconds"),
        (json!({ "from": "now" }), "from"),
        (json!({ "from": format!("{epoch:x}-99") }), "from"),
        (json!({ "from": format!("{:x}-0", epoch + 1) }), "from"),
    ] {
        let mut body = json!({ "name": "billing" });
        for (name, value) in fault.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = world.seller.post(PATH, &body).await;
        assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()), "{body}");
        assert!(refused.details()[field].is_string(), "{}", refused.text);
    }
    assert_eq!(
        world
            .count("select count(*) from event_subscriptions")
            .await,
        0
    );

    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    for (place, body, field) in [
        ("fetch", json!({ "limit": 0 }), "limit"),
        ("fetch", json!({ "limit": 101 }), "limit"),
        ("fetch", json!({ "waitSeconds": 61 }), "waitSeconds"),
        (
            "acknowledge",
            json!({ "acknowledgements": [] }),
            "acknowledgements",
        ),
        (
            "acknowledge",
            json!({ "acknowledgements": ["1"] }),
            "acknowledgements",
        ),
        (
            "acknowledge",
            json!({ "acknowledgements": vec!["1.1"; 1001] }),
            "acknowledgements",
        ),
        (
            "release",
            json!({ "acknowledgements": ["1.1"], "retryInSeconds": 3601 }),
            "retryInSeconds",
        ),
        ("seek", json!({ "to": "yesterday" }), "to"),
    ] {
        let refused = consumer.post(place, &body).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{place} {body}"
        );
        assert!(refused.details()[field].is_string(), "{}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_only_so_many() {
    let world = world().await;
    for number in 0..EVENT_SUBSCRIPTIONS_MAX {
        let made = world
            .seller
            .post(PATH, &json!({ "name": format!("s{number}") }))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let refused = world.seller.post(PATH, &json!({ "name": "more" })).await;
    assert_eq!(refused.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(refused.details()["reason"], "TOO_MANY");
    assert_eq!(
        world
            .seller
            .post(PATH, &json!({ "name": "s7" }))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_passes_over_a_thousand_foreign_events() {
    let world = world().await;
    append(&world, &world.seller, "orders-1", [1]).await;
    append(&world, &world.seller, "carts-9", 2..=1_300).await;
    append(&world, &world.seller, "orders-2", [1_301]).await;
    append(&world, &world.stranger, "orders-1", [1_302]).await;
    for (name, filter, expected) in [
        ("types", json!({ "types": ["orders.*"] }), vec![1, 1_301]),
        ("names", json!({ "ids": ["orders-2"] }), vec![1_301]),
        ("subjects", json!({ "ids": ["1", "2"] }), vec![1, 1_301]),
        (
            "both",
            json!({ "ids": ["1", "9"], "types": ["orders.new"] }),
            vec![1],
        ),
    ] {
        let consumer = Consumer::subscribe(&world.seller, name, filter).await;
        let mut seen = Vec::new();
        loop {
            let batch = consumer.fetch(9).await;
            if batch.is_empty() {
                break;
            }
            seen.extend(numbers(&batch));
        }
        assert_eq!(seen, expected, "{name}");
        let end = world.count("select last from event_head").await;
        let cursor = consumer.get().await["cursor"].clone();
        assert!(
            cursor.as_str().unwrap().ends_with(&format!("-{end}")),
            "{cursor}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_holds_no_more_than_its_window_and_skips_nothing() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    let all = i64::from(SUBSCRIPTION_WINDOW_MAX) + 300;
    append(&world, &world.seller, "orders-1", 1..=all).await;
    let mut seen = Vec::new();
    loop {
        let batch = consumer.fetch(100).await;
        let held = world
            .count("select count(*) from subscription_events")
            .await;
        assert!(held <= i64::from(SUBSCRIPTION_WINDOW_MAX), "{held}");
        if batch.is_empty() {
            break;
        }
        seen.extend(numbers(&batch));
        consumer.acknowledge(&batch).await;
    }
    assert_eq!(seen, (1..=all).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_behind_the_floor_of_the_log_says_so_until_it_is_moved() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", [1, 2]).await;
    let taken = consumer.fetch(1).await;
    append(&world, &world.seller, "orders-1", [3]).await;
    world
        .force("update events set at = now() - interval '1 year'")
        .await;
    let pruned = events::prune_feed(&world.pool, Duration::from_secs(60)).await;
    assert_eq!(pruned.unwrap(), 3);
    append(&world, &world.seller, "orders-1", [4]).await;

    // What it has taken in is handed out first.
    consumer.acknowledge(&taken).await;
    let rest = consumer.fetch(9).await;
    assert_eq!(numbers(&rest), [2]);
    assert_eq!(consumer.fetch(9).await, [] as [Value; 0]);
    consumer.acknowledge(&rest).await;
    for _ in 0..2 {
        let gone = consumer.post("fetch", &json!({ "waitSeconds": 40 })).await;
        assert_eq!(gone.fault(), (410, "CURSOR_EXPIRED".to_owned()));
        let earliest = gone.details()["earliest"].as_str().unwrap().to_owned();
        assert!(earliest.ends_with("-3"), "{earliest}");
    }
    let before = json!({ "to": rest[0]["cursor"] });
    let refused = consumer.post("seek", &before).await;
    assert_eq!(refused.fault(), (410, "CURSOR_EXPIRED".to_owned()));
    let earliest = refused.details()["earliest"].clone();
    let moved = consumer.post("seek", &json!({ "to": earliest })).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(numbers(&consumer.fetch(9).await), [4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_or_anothers_is_not_there() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    append(&world, &world.seller, "orders-1", [1]).await;
    let batch = consumer.fetch(1).await;
    let stranger = Consumer {
        client: world.stranger.clone(),
        name: "billing",
    };
    let acknowledgements = json!({ "acknowledgements": [batch[0]["acknowledgement"]] });
    let places = [
        ("fetch", json!({})),
        ("acknowledge", acknowledgements.clone()),
        ("release", acknowledgements),
        ("seek", json!({ "to": "latest" })),
        ("parked/replay", Value::Null),
    ];
    let path = format!("{PATH}/billing");
    let assert_nothing = async |consumer: &Consumer| {
        for (place, body) in &places {
            let answer = consumer.post(place, body).await;
            assert_eq!(answer.fault(), (404, "NOT_FOUND".to_owned()), "{place}");
        }
        for place in ["", "/parked"] {
            let answer = consumer.client.get(&format!("{path}{place}")).await;
            assert_eq!(answer.fault(), (404, "NOT_FOUND".to_owned()), "{place}");
        }
        assert_eq!(consumer.client.delete(&path).await.status, 404);
    };
    assert_nothing(&stranger).await;
    let list = world.stranger.get(PATH).await.data();
    assert_eq!(list["subscriptions"], json!([]));
    assert_eq!(
        consumer.get().await["eventsHandedOut"],
        1,
        "nothing was changed"
    );

    assert_eq!(world.seller.delete(&path).await.status, 204);
    assert_nothing(&consumer).await;
    assert_eq!(
        world
            .count("select count(*) from subscription_events")
            .await,
        0
    );
}
