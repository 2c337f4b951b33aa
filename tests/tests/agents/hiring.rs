//! Asking for tasks: what is refused, and that many at once are counted exactly. What is read of them afterwards.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;

use super::ground::{agent, change, register};
use super::tasks::{PRICE, acted, delivered, hire, market, request};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_holds_nothing() {
    let world = World::only_api().await;
    let payer = market(&world, 300).await;
    register(&payer.client, "own").await;
    let hire_with = |field: &'static str, value: Value| {
        let mut body = request();
        body[field] = value;
        let client = payer.client.clone();
        async move { client.post("/api/agents/broker/tasks", &body).await }
    };
    let long = "x".repeat(17 * 1024);
    for (field, value, fault) in [
        ("payerAgentId", json!("broker"), (400, "INVALID_INPUT")),
        ("payerAgentId", json!("nobody"), (400, "INVALID_INPUT")),
        ("capability", json!("flying"), (400, "INVALID_INPUT")),
        ("context", json!({ "text": long }), (400, "INVALID_INPUT")),
        ("context", json!([]), (400, "INVALID_INPUT")),
        ("amountMinor", json!(249), (409, "CONFLICT")),
    ] {
        let answer = hire_with(field, value).await;
        assert_eq!(
            answer.fault(),
            (fault.0, fault.1.to_owned()),
            "{field}: {}",
            answer.text
        );
    }
    let own = payer.client.post("/api/agents/own/tasks", &request()).await;
    assert_eq!(own.fault(), (403, "FORBIDDEN".to_owned()));
    let nobody = payer
        .client
        .post("/api/agents/nobody/tasks", &request())
        .await;
    assert_eq!(nobody.status, 404);
    change(
        &world.seller,
        "broker",
        &json!({ "availability": "maintenance" }),
    )
    .await;
    let away = hire_with("capability", json!("vision")).await;
    assert_eq!(away.details()["reason"], "NOT_AVAILABLE");
    change(
        &world.seller,
        "broker",
        &json!({ "availability": "online" }),
    )
    .await;
    assert_eq!(world.credits(payer.id).await, (300, 0));
    hire(&payer).await;
    let short = payer
        .client
        .post("/api/agents/broker/tasks", &request())
        .await;
    assert_eq!(short.status, 402, "{}", short.text);
    assert_eq!(world.credits(payer.id).await, (300, PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_tasks_at_once_are_ten_and_capacity_and_credits_hold_exactly() {
    let world = World::only_api().await;
    let payer = market(&world, 10 * PRICE).await;
    let many = |count: usize| {
        let client = payer.client.clone();
        async move {
            let ask = async || client.post("/api/agents/broker/tasks", &request()).await;
            let answers = join_all((0..count).map(|_| ask())).await;
            let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            statuses
        }
    };
    let mut expected = vec![201; 10];
    expected.extend([402; 5]);
    assert_eq!(many(15).await, expected, "there are credits for ten");
    world.give_credits(payer.id, 10 * PRICE).await;
    change(&world.seller, "broker", &json!({ "capacityPerHour": 13 })).await;
    let mut expected = vec![201; 3];
    expected.extend([409; 5]);
    assert_eq!(
        many(8).await,
        expected,
        "ten of thirteen an hour were taken"
    );
    assert_eq!(world.credits(payer.id).await, (20 * PRICE, 13 * PRICE));
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_twice_with_one_key_is_one_task() {
    let world = World::only_api().await;
    let payer = market(&world, 1000).await;
    let post = || {
        let request_ = payer
            .client
            .request(Method::POST, "/api/agents/broker/tasks");
        send(
            request_
                .header("idempotency-key", "\"once\"")
                .json(&request()),
        )
    };
    let (first, second) = (post().await, post().await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.data()["taskId"], second.data()["taskId"]);
    assert_eq!(world.credits(payer.id).await, (1000, PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_spends_on_tasks_no_more_than_its_budget() {
    let world = World::only_api().await;
    let payer = market(&world, 10_000).await;
    let body = json!({ "name": "frugal", "permissions": ["purchase", "agents"], "limits": { "budgetDayMinor": 2 * PRICE } });
    let made = payer.client.post("/api/ai/keys", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let frugal = payer
        .client
        .with_token(made.data()["apiKey"].as_str().unwrap());
    let hire = || async { frugal.post("/api/agents/broker/tasks", &request()).await };
    let first = hire().await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(hire().await.status, 201);
    let beyond = hire().await;
    assert_ne!(beyond.status, 201);
    let task = first.data()["taskId"].as_str().unwrap().to_owned();
    acted(&frugal, &task, "cancel", &json!({})).await;
    assert_eq!(
        hire().await.status,
        201,
        "what was given back counts no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_exported_as_csv_and_as_lines_of_json() {
    let world = World::only_api().await;
    let payer = market(&world, 10_000).await;
    let mut odd = agent("odd");
    odd["capabilities"] = json!(["=1+1, \"quoted\""]);
    let registered = world.seller.post("/api/agents", &odd).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let mut body = request();
    body["capability"] = json!("=1+1, \"quoted\"");
    assert_eq!(
        payer
            .client
            .post("/api/agents/odd/tasks", &body)
            .await
            .status,
        201
    );
    let task = hire(&payer).await;
    let csv = payer.client.get("/api/agent-tasks/export").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.text.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{}", csv.text);
    assert!(lines[0].starts_with("taskId,createdAt,"));
    assert!(lines[1].starts_with(&format!("{task},")) && lines[1].ends_with(",2.50,,USD,pending"));
    assert!(
        lines[2].contains("\"'=1+1, \"\"quoted\"\"\""),
        "{}",
        lines[2]
    );
    let json = payer
        .client
        .get("/api/agent-tasks/export?format=ndjson&agentId=broker")
        .await;
    let line: Value = serde_json::from_str(json.text.trim_end()).unwrap();
    assert_eq!(
        (&line["taskId"], &line["amount"]),
        (&json!(task), &json!("2.50"))
    );
    let none = world
        .stranger
        .get("/api/agent-tasks/export?format=ndjson")
        .await;
    assert_eq!((none.status, none.text.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_table_of_transactions_is_there_to_be_read() {
    let world = World::start().await;
    let payer = market(&world, 10_000).await;
    let task = delivered(&world, &payer).await;
    acted(
        &payer.client,
        &task,
        "dispute",
        &json!({ "reason": "late", "evidence": { "a": 1 } }),
    )
    .await;
    let rows: Vec<(String, String, String, String, String, Value)> = sqlx::query_as(
        "select transaction_id, payer_agent, provider_agent, amount::text, status, evidence
         from marketplace_transactions",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let id = task.trim_start_matches("tsk_").to_owned();
    assert_eq!(
        rows,
        [(
            id,
            "client".into(),
            "broker".into(),
            "2.50".into(),
            "disputed".into(),
            json!([{ "a": 1 }])
        )]
    );
}
