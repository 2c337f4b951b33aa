//! The registry: what it takes, whose it is, and that what comes at once is counted exactly.

use common::limits::AGENTS_MAX;
use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;

use super::ground::{agent, beat, change, register, show};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_registered_shown_to_everybody_changed_and_unregistered() {
    let world = World::start().await;
    let body = json!({
        "agentId": "Vision-Broker_7",
        "name": "  Vision Broker ",
        "description": "Finds what is in an image.",
        "capabilities": [" Vision ", "ＶＩＳＩＯＮ", "image  to text"],
        "costPerTaskMinor": 250.0,
        "capacityPerHour": 60,
        "endpointUrl": "https://agents.example.com/vision",
        "metadata": { "languages": ["en", "de"] },
    });
    let answer = world.seller.post("/api/agents", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("location"), "/api/agents/Vision-Broker_7");
    let registered = answer.data();
    for (field, value) in [
        ("agentId", json!("Vision-Broker_7")),
        ("name", json!("Vision Broker")),
        ("description", json!("Finds what is in an image.")),
        ("capabilities", json!(["vision", "image to text"])),
        ("costPerTaskMinor", json!(250)),
        ("currency", json!("USD")),
        ("capacityPerHour", json!(60)),
        ("availability", json!("online")),
        ("presence", json!("online")),
        ("endpointUrl", json!("https://agents.example.com/vision")),
        ("metadata", json!({ "languages": ["en", "de"] })),
        ("version", json!(1)),
    ] {
        assert_eq!(registered[field], value, "{field}: {registered}");
    }
    assert_eq!(show(&world.anonymous, "Vision-Broker_7").await, registered);

    let path = "/api/agents/Vision-Broker_7";
    let tag = world.seller.get(path).await.header("etag").to_owned();
    let patch = |body: Value| {
        let request = world.seller.request(Method::PATCH, path);
        send(request.header("if-match", &tag).json(&body))
    };
    let changed = patch(json!({ "costPerTaskMinor": 300, "endpointUrl": null })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let data = changed.data();
    assert_eq!(
        (
            &data["costPerTaskMinor"],
            &data["endpointUrl"],
            &data["version"]
        ),
        (&json!(300), &Value::Null, &json!(2)),
    );
    let late = patch(json!({ "costPerTaskMinor": 400 })).await;
    assert_eq!(late.fault(), (412, "PRECONDITION_FAILED".to_owned()));
    let same = change(
        &world.seller,
        "Vision-Broker_7",
        &json!({ "name": "Vision Broker" }),
    )
    .await;
    assert_eq!(same.data()["version"], 2, "what is so already is no change");

    assert_eq!(world.seller.delete(path).await.status, 204);
    assert_eq!(world.anonymous.get(path).await.status, 404);
    assert_eq!(world.seller.delete(path).await.status, 404);
    assert_eq!(beat(&world.seller, "Vision-Broker_7").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_that_is_not_valid_is_named() {
    let world = World::only_api().await;
    register(&world.seller, "broker").await;
    let long = "x".repeat(5000);
    let many: Vec<String> = (0..21).map(|number| format!("c{number}")).collect();
    let faults = [
        ("name", json!("")),
        ("name", json!("a\u{7}b")),
        ("name", json!(long)),
        ("description", json!(long)),
        ("description", json!("\0")),
        ("capabilities", json!([])),
        ("capabilities", json!(["  "])),
        ("capabilities", json!(many)),
        ("capabilities", json!([long])),
        ("costPerTaskMinor", json!(-1)),
        ("costPerTaskMinor", json!(100_000_001)),
        ("costPerTaskMinor", json!(2.5)),
        ("capacityPerHour", json!(0)),
        ("capacityPerHour", json!(3_000_000_000_u64)),
        ("availability", json!("away")),
        ("endpointUrl", json!("http://10.0.0.1/")),
        ("endpointUrl", json!("https://user:word@example.com/")),
        ("metadata", json!([1])),
        ("metadata", json!({ "text": long })),
        ("metadata", json!({ "a\0": 1 })),
    ];
    for (field, value) in faults {
        let mut body = agent("other");
        body[field] = value.clone();
        let answers = [
            world.seller.post("/api/agents", &body).await,
            change(&world.seller, "broker", &json!({ field: value })).await,
        ];
        for answer in answers {
            let fault = (400, "INVALID_INPUT".to_owned());
            assert_eq!(answer.fault(), fault, "{field}: {}", answer.text);
            let details = answer.details();
            assert!(details[field].is_string(), "{field}: {details}");
        }
    }
    for id in ["", "a b", "a/b", "é", &"x".repeat(65)] {
        let answer = world.seller.post("/api/agents", &agent(id)).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{id}");
        assert!(answer.details()["agentId"].is_string(), "{}", answer.text);
    }
    for name in ["name", "capabilities", "costPerTaskMinor", "availability"] {
        let answer = change(&world.seller, "broker", &json!({ name: null })).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{name}");
    }
    assert_eq!(show(&world.anonymous, "broker").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_its_owners_for_ever() {
    let world = World::only_api().await;
    register(&world.seller, "broker").await;
    for (client, id) in [
        (&world.seller, "broker"),
        (&world.stranger, "broker"),
        (&world.stranger, "BROKER"),
    ] {
        let taken = client.post("/api/agents", &agent(id)).await;
        assert_eq!(
            taken.fault(),
            (409, "CONFLICT".to_owned()),
            "{}",
            taken.text
        );
        assert_eq!(taken.details()["reason"], "TAKEN");
    }
    let path = "/api/agents/broker";
    let answers = [
        change(&world.stranger, "broker", &json!({ "name": "Mine" })).await,
        beat(&world.stranger, "broker").await,
        world.stranger.delete(path).await,
    ];
    for answer in answers {
        assert_eq!(answer.fault(), (404, "NOT_FOUND".to_owned()));
    }
    assert_eq!(world.seller.delete(path).await.status, 204);
    let taken = world.stranger.post("/api/agents", &agent("broker")).await;
    assert_eq!(taken.status, 409, "{}", taken.text);
    let again = register(&world.seller, "broker").await;
    assert_eq!(again["version"], 3, "a version is never used twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_registrations_at_once_are_ten_agents_and_ten_of_one_id_are_one() {
    let world = World::only_api().await;
    let ids: Vec<String> = (0..10).map(|number| format!("agent-{number}")).collect();
    let registered = join_all(ids.iter().map(|id| register(&world.seller, id))).await;
    assert_eq!(registered.len(), 10);
    assert_eq!(world.count("select count(*) from agents").await, 10);
    let bodies: Vec<Value> = (0..10)
        .map(|number| agent(if number % 2 == 0 { "same" } else { "Same" }))
        .collect();
    let owners = [&world.seller, &world.stranger];
    let posts = bodies
        .iter()
        .enumerate()
        .map(|(place, body)| owners[place % 2].post("/api/agents", body));
    let mut statuses: Vec<u16> = join_all(posts).await.iter().map(|it| it.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_with_two_hundred_updates_each_make_four_hundred_versions() {
    let world = World::only_api().await;
    register(&world.seller, "broker").await;
    let writer = async |parity: i64| {
        for step in 0..200 {
            // Each differs from all others, so none is no change.
            let changes = json!({ "costPerTaskMinor": 2 * step + parity });
            let answer = change(&world.seller, "broker", &changes).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    };
    tokio::join!(writer(1000), writer(1001));
    assert_eq!(show(&world.anonymous, "broker").await["version"], 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_has_more_agents_than_the_limit_however_they_come() {
    let world = World::only_api().await;
    register(&world.seller, "agent-0").await;
    sqlx::query(
        "insert into agents
         select (jsonb_populate_record(agents, jsonb_build_object('agent_id', 'agent-' || n))).*
         from agents, generate_series(1, $1) n",
    )
    .bind(AGENTS_MAX - 2)
    .execute(&world.pool)
    .await
    .unwrap();
    let bodies = [agent("last"), agent("too-many")];
    let posts = bodies
        .iter()
        .map(|body| world.seller.post("/api/agents", body));
    let answers = join_all(posts).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.details()["reason"], "TOO_MANY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_registration_is_answered_as_the_first_was() {
    let world = World::only_api().await;
    let post = || {
        let request = world.seller.request(Method::POST, "/api/agents");
        send(
            request
                .header("idempotency-key", "one")
                .json(&agent("broker")),
        )
    };
    let (first, second) = (post().await, post().await);
    assert_eq!((first.status, second.status), (201, 201), "{}", second.text);
    assert_eq!(first.data(), second.data());
}
