//! Streams of clients' own: expected versions, reading both ways, replay and snapshots.

use common::events;
use common::limits::{APPENDED_EVENTS_MAX, SNAPSHOT_EVERY};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Client, World, eventually};

async fn append(client: &Client, stream: &str, expected: Option<i64>, data: Value) -> Answer {
    let mut body = json!({ "events": [{ "eventType": "order.changed", "data": data }] });
    if let Some(expected) = expected {
        body["expectedVersion"] = expected.into();
    }
    client
        .post(&format!("/api/ai/event-streams/{stream}/events"), &body)
        .await
}

async fn read(client: &Client, stream: &str, query: &str) -> Value {
    let answer = client
        .get(&format!("/api/ai/event-streams/{stream}/events?{query}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}

fn versions(page: &Value) -> Vec<i64> {
    let events = page["events"].as_array().unwrap().iter();
    events
        .map(|event| event["version"].as_i64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_needs_the_version_that_it_expects() {
    let world = World::only_api().await;
    let opened = append(
        &world.seller,
        "orders-17",
        Some(0),
        json!({ "state": "new" }),
    )
    .await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    assert_eq!(opened.data()["version"], 1);

    let again = append(&world.seller, "orders-17", Some(0), json!({})).await;
    assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(again.details()["reason"], "VERSION_CONFLICT");
    assert_eq!(again.details()["expected"], 0);
    assert_eq!(again.details()["actual"], 1);

    assert_eq!(
        append(&world.seller, "orders-17", Some(1), json!({}))
            .await
            .status,
        201
    );
    let any = append(&world.seller, "orders-17", None, json!({})).await;
    assert_eq!(any.data()["version"], 3);
    // The name is each account's own.
    let other = append(&world.stranger, "orders-17", Some(0), json!({})).await;
    assert_eq!(other.data()["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_who_append_at_once_get_versions_without_gap_and_conflicts_that_are_true() {
    let world = World::only_api().await;
    let tries = join_all((0..50).map(|number| {
        let client = world.seller.clone();
        async move {
            let mut conflicts = 0;
            let mut expected = 0;
            loop {
                let answer =
                    append(&client, "race-1", Some(expected), json!({ "by": number })).await;
                if answer.status == 201 {
                    return (answer.data()["version"].as_i64().unwrap(), conflicts);
                }
                assert_eq!(
                    answer.details()["reason"],
                    "VERSION_CONFLICT",
                    "{}",
                    answer.text
                );
                let actual = answer.details()["actual"].as_i64().unwrap();
                assert!(actual > expected, "{actual} is not newer than {expected}");
                expected = actual;
                conflicts += 1;
            }
        }
    }))
    .await;
    let mut got: Vec<i64> = tries.iter().map(|(version, _)| *version).collect();
    got.sort_unstable();
    assert_eq!(got, (1..=50).collect::<Vec<i64>>());
    assert!(tries.iter().any(|(_, conflicts)| *conflicts > 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_market_and_faulty_events_are_refused_and_nothing_is_appended() {
    let world = World::only_api().await;
    for name in ["purchase-pur_1", "upload-x", "Orders-1", "orders"] {
        let answer = append(&world.seller, name, None, json!({})).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{name}");
        assert!(answer.details()["stream"].is_string(), "{}", answer.text);
    }
    let event = json!({ "eventType": "a.b", "data": {} });
    for (body, field) in [
        (json!({ "events": [] }), "events"),
        (
            json!({ "events": vec![event.clone(); APPENDED_EVENTS_MAX + 1] }),
            "events",
        ),
        (
            json!({ "events": [event], "expectedVersion": -1 }),
            "expectedVersion",
        ),
        (
            json!({ "events": [{ "eventType": "a.*", "data": {} }] }),
            "events[0].eventType",
        ),
        (
            json!({ "events": [{ "eventType": "a b", "data": {} }] }),
            "events[0].eventType",
        ),
        (
            json!({ "events": [{ "eventType": "a", "data": {}, "schemaVersion": 0 }] }),
            "events[0].schemaVersion",
        ),
    ] {
        let answer = world
            .seller
            .post("/api/ai/event-streams/orders-1/events", &body)
            .await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(
            answer.details()[field].is_string(),
            "{field}: {}",
            answer.text
        );
    }
    assert_eq!(
        world
            .count("select count(*) from event_streams where owner_id is not null")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_append_with_its_key_is_appended_once() {
    let world = World::only_api().await;
    let body = json!({ "events": [{ "eventType": "a.b", "data": { "n": 1 } }] });
    let path = "/api/ai/event-streams/orders-1/events";
    for _ in 0..2 {
        let request = world
            .seller
            .request(common::reqwest::Method::POST, path)
            .json(&body);
        let answer = tests::client::send(request.header("idempotency-key", "once")).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.data()["version"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_forwards_and_backwards_by_those_who_may() {
    let world = World::only_api().await;
    for number in 1..=5 {
        append(&world.seller, "orders-9", None, json!({ "n": number })).await;
    }
    let page = read(&world.seller, "orders-9", "limit=2").await;
    assert_eq!(versions(&page), [1, 2]);
    let page = read(&world.seller, "orders-9", "limit=2&cursor=2").await;
    assert_eq!(versions(&page), [3, 4]);
    assert_eq!(page["nextCursor"], "4");
    let page = read(&world.seller, "orders-9", "direction=backwards&limit=2").await;
    assert_eq!(versions(&page), [5, 4]);
    let page = read(&world.seller, "orders-9", "direction=backwards&cursor=2").await;
    assert_eq!(versions(&page), [1]);
    assert_eq!(page["nextCursor"], Value::Null);
    let hidden = world
        .stranger
        .get("/api/ai/event-streams/orders-9/events")
        .await;
    assert_eq!(hidden.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_at_a_version_is_the_fold_of_its_events_also_between_two_snapshots() {
    let mut world = World::only_api().await;
    world.start_scheduler().await;
    world.start_worker().await;
    let count = 2 * SNAPSHOT_EVERY + 50;
    for first in (1..=count).step_by(50) {
        let events: Vec<Value> = (first..first + 50)
            .map(|n| json!({ "eventType": "order.changed", "data": { "n": n, format!("k{}", n % 3): n } }))
            .collect();
        let body = json!({ "expectedVersion": first - 1, "events": events });
        let answer = world
            .seller
            .post("/api/ai/event-streams/orders-3/events", &body)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let state = |version: i64| {
        let path = format!("/api/ai/event-streams/orders-3/state?version={version}");
        let client = world.seller.clone();
        async move { client.get(&path).await }
    };
    let newest = eventually("the snapshots are made", || async {
        let answer = state(count).await;
        (answer.data()["snapshotVersion"] == 2 * SNAPSHOT_EVERY).then_some(answer.data())
    })
    .await;
    assert_eq!(newest["eventsReplayed"], 50);
    assert_eq!(newest["state"]["n"], count);

    let between = SNAPSHOT_EVERY + SNAPSHOT_EVERY / 2;
    let older = state(between).await.data();
    assert_eq!(older["snapshotVersion"], SNAPSHOT_EVERY);
    assert_eq!(
        older["state"]["n"], between,
        "a snapshot that is younger is not read"
    );
    for version in [1, 2, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY, between, count] {
        let mut expected = serde_json::Map::new();
        for n in 1..=version {
            events::fold(&mut expected, &json!({ "n": n, format!("k{}", n % 3): n }));
        }
        assert_eq!(
            state(version).await.data()["state"],
            Value::Object(expected),
            "{version}"
        );
    }
    assert_eq!(state(count + 1).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_snapshot_holds_can_be_pruned_and_versions_go_on() {
    let mut world = World::only_api().await;
    world.start_scheduler().await;
    world.start_worker().await;
    for n in 1..=SNAPSHOT_EVERY + 1 {
        append(&world.seller, "orders-4", Some(n - 1), json!({ "n": n })).await;
    }
    eventually("the snapshot is made", || async {
        (world.count("select count(*) from event_snapshots").await == 1).then_some(())
    })
    .await;
    world
        .force("update events set at = now() - interval '1 year'")
        .await;
    let pruned = events::prune_streams(&world.pool, std::time::Duration::from_secs(60)).await;
    assert_eq!(pruned.unwrap(), SNAPSHOT_EVERY as u64);
    let path = "/api/ai/event-streams/orders-4/state";
    assert_eq!(
        world.seller.get(path).await.data()["state"]["n"],
        SNAPSHOT_EVERY + 1
    );
    let gone = world.seller.get(&format!("{path}?version=7")).await;
    assert_eq!(gone.fault(), (410, "CURSOR_EXPIRED".to_owned()));
    let next = append(
        &world.seller,
        "orders-4",
        Some(SNAPSHOT_EVERY + 1),
        json!({}),
    )
    .await;
    assert_eq!(next.data()["version"], SNAPSHOT_EVERY + 2, "{}", next.text);
}
