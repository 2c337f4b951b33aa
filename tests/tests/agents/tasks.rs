//! Tasks for credits: each way from the request to the end, and what is held, paid and given back on it.

use serde_json::{Value, json};
use tests::market::User;
use tests::{Answer, World, eventually};

use super::ground::register;

/// What a task costs, and what of it is the platform's at the fee of tests.
pub const PRICE: i64 = 250;

/// A market with a provider, `broker` of the seller, and a payer, `client` of a buyer with credits.
pub async fn market(world: &World, credits_minor: i64) -> User {
    register(&world.seller, "broker").await;
    let buyer = world.buyer("payer", credits_minor).await;
    register(&buyer.client, "client").await;
    buyer
}

pub fn request() -> Value {
    json!({
        "payerAgentId": "client",
        "capability": "Vision",
        "amountMinor": PRICE,
        "context": { "images": ["https://example.com/1.png"] },
    })
}

/// Asks the broker for a task: its id.
pub async fn hire(payer: &User) -> String {
    let answer = payer
        .client
        .post("/api/agents/broker/tasks", &request())
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()["taskId"].as_str().unwrap().to_owned()
}

pub async fn act(client: &tests::Client, task: &str, act: &str, body: &Value) -> Answer {
    client
        .post(&format!("/api/agent-tasks/{task}/{act}"), body)
        .await
}

/// The same, which succeeds: the status that it leads to.
pub async fn acted(client: &tests::Client, task: &str, verb: &str, body: &Value) -> Value {
    let answer = act(client, task, verb, body).await;
    assert_eq!(answer.status, 200, "{verb}: {}", answer.text);
    answer.data()
}

/// A task that was accepted and delivered.
pub async fn delivered(world: &World, payer: &User) -> String {
    let task = hire(payer).await;
    acted(&world.seller, &task, "accept", &json!({})).await;
    let result = json!({ "result": { "labels": ["cat"] } });
    acted(&world.seller, &task, "deliver", &result).await;
    task
}

async fn status(client: &tests::Client, task: &str) -> String {
    let answer = client.get(&format!("/api/agent-tasks/{task}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()["status"].as_str().unwrap().to_owned()
}

/// Has the state of each open task last its time at once.
async fn hurry(world: &World) {
    for statement in [
        "update agent_tasks set due_at = now() where due_at is not null",
        "update jobs set run_at = now() where name = 'end_agent_task' and state = 'ready'",
    ] {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_asked_for_done_and_paid_once() {
    let world = World::start().await;
    let payer = market(&world, 1000).await;
    let answer = payer
        .client
        .post("/api/agents/broker/tasks", &request())
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let asked = answer.data();
    let task = asked["taskId"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.header("location"),
        format!("/api/agent-tasks/{task}")
    );
    assert_eq!(
        (&asked["status"], &asked["capability"]),
        (&json!("pending"), &json!("vision"))
    );
    assert_eq!(
        world.credits(payer.id).await,
        (1000, PRICE),
        "the price is held"
    );

    assert_eq!(
        acted(&world.seller, &task, "accept", &json!({})).await["status"],
        "accepted"
    );
    let result = json!({ "result": { "labels": ["cat", "dog"] } });
    acted(&world.seller, &task, "deliver", &result).await;
    assert_eq!(
        world.credits(payer.id).await,
        (1000, PRICE),
        "and stays held"
    );
    let settled = acted(&payer.client, &task, "settle", &json!({})).await;
    assert_eq!(
        (&settled["status"], &settled["paidMinor"]),
        (&json!("settled"), &json!(PRICE))
    );
    assert_eq!(settled["result"], result["result"]);
    assert_eq!(settled["context"], request()["context"]);
    let events: Vec<&str> = settled["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "agent_task.requested",
            "agent_task.accepted",
            "agent_task.delivered",
            "agent_task.settled"
        ]
    );
    assert_eq!(world.credits(payer.id).await, (1000 - PRICE, 0));
    assert_eq!(world.earnings().await + world.fees().await, PRICE);
    assert!(world.fees().await > 0, "a fee is taken");
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_has_ended_changes_no_more() {
    let world = World::only_api().await;
    let payer = market(&world, 1000).await;
    let task = delivered(&world, &payer).await;
    acted(&payer.client, &task, "settle", &json!({})).await;
    for (client, verb) in [
        (&payer.client, "settle"),
        (&payer.client, "dispute"),
        (&payer.client, "cancel"),
        (&world.seller, "decline"),
    ] {
        let body = match verb {
            "dispute" => json!({ "reason": "late" }),
            _ => json!({}),
        };
        let again = act(client, &task, verb, &body).await;
        assert_eq!(again.fault(), (409, "CONFLICT".to_owned()), "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_gives_the_price_back() {
    let world = World::start().await;
    let payer = market(&world, 1000).await;
    let cancelled = hire(&payer).await;
    acted(&payer.client, &cancelled, "cancel", &json!({})).await;
    let declined = hire(&payer).await;
    let reason = json!({ "reason": "The images are not readable." });
    let body = acted(&world.seller, &declined, "decline", &reason).await;
    assert_eq!(body["note"], reason["reason"]);
    let given_up = hire(&payer).await;
    acted(&world.seller, &given_up, "accept", &json!({})).await;
    acted(&world.seller, &given_up, "decline", &json!({})).await;
    let (ignored, unfinished) = (hire(&payer).await, hire(&payer).await);
    acted(&world.seller, &unfinished, "accept", &json!({})).await;
    assert_eq!(world.credits(payer.id).await, (1000, 2 * PRICE));
    hurry(&world).await;
    for task in [&ignored, &unfinished] {
        eventually("the task to expire", || async {
            (status(&payer.client, task).await == "expired").then_some(())
        })
        .await;
    }
    assert_eq!(world.credits(payer.id).await, (1000, 0));
    assert_eq!(world.earnings().await, 0);
    let open: i32 = sqlx::query_scalar("select open_tasks from agents where agent_id = 'broker'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(open, 0);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_disputes_settles_by_itself_and_a_job_that_runs_twice_pays_once() {
    let world = World::start().await;
    let payer = market(&world, 1000).await;
    let task = delivered(&world, &payer).await;
    hurry(&world).await;
    eventually("the task to settle", || async {
        (status(&payer.client, &task).await == "settled").then_some(())
    })
    .await;
    // All jobs of the task again, two of them at once.
    sqlx::query(
        "update jobs
         set state = 'ready', finished_at = null, run_at = now()
         where name = 'end_agent_task' and state = 'done'",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    eventually("the jobs to end again", || async {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from jobs where name = 'end_agent_task' and state <> 'done'",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        (open == 0).then_some(())
    })
    .await;
    assert_eq!(world.credits(payer.id).await, (1000 - PRICE, 0));
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_ends_a_dispute_by_refund_release_or_split() {
    let world = World::start().await;
    let payer = market(&world, 1000).await;
    let cases = [
        (json!({ "decision": "refund" }), "resolved_refund", 0),
        (json!({ "decision": "release" }), "resolved_release", PRICE),
        (
            json!({ "decision": "split", "providerBasisPoints": 3333 }),
            "resolved_split",
            83,
        ),
        (
            json!({ "decision": "split", "providerBasisPoints": 0 }),
            "resolved_split",
            0,
        ),
    ];
    let mut paid_in_all = 0;
    for (decision, state, paid) in cases {
        let task = delivered(&world, &payer).await;
        let dispute =
            json!({ "reason": "Half of the labels are missing.", "evidence": { "missing": 5 } });
        acted(&payer.client, &task, "dispute", &dispute).await;
        let answer = json!({ "evidence": { "note": "There were none." } });
        let shown = acted(&world.seller, &task, "evidence", &answer).await;
        let participants: Vec<&Value> = shown["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["participant"])
            .collect();
        assert_eq!(participants, ["payer", "provider"]);
        hurry(&world).await;
        let path = format!("/admin/agent-tasks/{task}/resolve");
        let mut body = decision.clone();
        body["note"] = json!("Counted by hand.");
        let resolved = world.operator.post(&path, &body).await;
        assert_eq!(resolved.status, 200, "{}", resolved.text);
        let data = resolved.data();
        assert_eq!(
            (&data["status"], &data["note"]),
            (&json!(state), &json!("Counted by hand."))
        );
        let again = world.operator.post(&path, &body).await;
        assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
        paid_in_all += paid;
        assert_eq!(
            world.credits(payer.id).await,
            (1000 - paid_in_all, 0),
            "{decision}"
        );
        assert_eq!(world.earnings().await + world.fees().await, paid_in_all);
    }
    let listed = world
        .operator
        .get("/admin/agent-tasks?state=resolved_split")
        .await;
    assert_eq!(listed.data()["tasks"].as_array().unwrap().len(), 2);
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_does_its_own_part_and_nobody_else_sees_the_task() {
    let world = World::only_api().await;
    let payer = market(&world, 1000).await;
    let task = hire(&payer).await;
    for (client, verb) in [(&payer.client, "accept"), (&world.seller, "cancel")] {
        let answer = act(client, &task, verb, &json!({})).await;
        assert_eq!(answer.fault(), (403, "FORBIDDEN".to_owned()), "{verb}");
    }
    for verb in ["accept", "cancel", "settle", "decline"] {
        let answer = act(&world.stranger, &task, verb, &json!({})).await;
        assert_eq!(answer.status, 404, "{verb}");
    }
    let path = format!("/api/agent-tasks/{task}");
    assert_eq!(world.stranger.get(&path).await.status, 404);
    let lists = [
        (&world.stranger, "", 0),
        (&payer.client, "", 1),
        (&payer.client, "?role=provider", 0),
        (
            &world.seller,
            "?role=provider&agentId=broker&status=pending",
            1,
        ),
        (&world.seller, "?agentId=client", 1),
        (&world.seller, "?to=2020-01-01T00:00:00Z", 0),
    ];
    for (client, query, count) in lists {
        let answer = client.get(&format!("/api/agent-tasks{query}")).await;
        assert_eq!(
            answer.data()["tasks"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_settling_disputing_and_time_at_once_one_wins() {
    let world = World::start().await;
    let payer = market(&world, 100 * PRICE).await;
    for _ in 0..5 {
        let task = delivered(&world, &payer).await;
        let dispute = json!({ "reason": "late" });
        let (nothing, client) = (json!({}), &payer.client);
        let (settled, _, disputed, again) = tokio::join!(
            act(client, &task, "settle", &nothing),
            hurry(&world),
            act(client, &task, "dispute", &dispute),
            act(client, &task, "settle", &nothing),
        );
        let won = [&settled, &disputed, &again];
        let won = won.iter().filter(|answer| answer.status == 200).count();
        assert!(won <= 1, "time may have won, but never two");
        let end = eventually("the task to end or be disputed", || async {
            let status = status(client, &task).await;
            (status == "settled" || status == "disputed").then_some(status)
        })
        .await;
        assert_eq!(disputed.status == 200, end == "disputed");
    }
    world.assert_sound_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_parties_hear_of_each_step() {
    let world = World::start().await;
    let payer = market(&world, 1000).await;
    for client in [&world.seller, &payer.client] {
        let endpoint = json!({ "url": world.webhook_url(), "eventTypes": ["agent_task.*"] });
        let made = client.post("/api/ai/webhooks/endpoints", &endpoint).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let secret = made.data()["secret"].as_str().unwrap().to_owned();
        world.receiver.trust_standard_secret(secret);
    }
    let task = delivered(&world, &payer).await;
    acted(&payer.client, &task, "settle", &json!({})).await;
    for event in ["requested", "accepted", "delivered", "settled"] {
        let name = format!("agent_task.{event}");
        eventually("both to hear of it", || async {
            let received = world.receiver.received();
            let heard = received
                .iter()
                .filter(|message| message.event.as_deref() == Some(name.as_str()));
            (heard.count() == 2).then_some(())
        })
        .await;
    }
}
