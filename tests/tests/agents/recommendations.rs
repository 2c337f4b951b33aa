//! Recommendations and reputation: who is named, why and how often, and what tasks say of an agent.

use std::collections::HashMap;

use serde_json::{Value, json};
use tests::{World, eventually};

use super::discovery::{found, recommended, register_with};
use super::tasks::{acted, delivered, hire, market};

#[tokio::test(flavor = "multi_thread")]
async fn a_recommendation_says_why_and_leaves_out_who_cannot_do_it() {
    let world = World::only_api().await;
    let (owner, buyer) = (&world.seller, world.buyer("payer", 0).await);
    for (id, said) in [
        ("cheap", json!({ "costPerTaskMinor": 100 })),
        ("dear", json!({ "costPerTaskMinor": 900 })),
        ("ruinous", json!({ "costPerTaskMinor": 1100 })),
        (
            "busy",
            json!({ "costPerTaskMinor": 100, "availability": "busy" }),
        ),
        (
            "resting",
            json!({ "costPerTaskMinor": 100, "availability": "maintenance" }),
        ),
        ("asleep", json!({ "costPerTaskMinor": 100 })),
        (
            "other",
            json!({ "costPerTaskMinor": 100, "capabilities": ["poems"] }),
        ),
    ] {
        register_with(owner, id, said).await;
    }
    register_with(&buyer.client, "own", json!({ "costPerTaskMinor": 100 })).await;
    sqlx::query("update agents set seen_at = now() - interval '2 hours' where agent_id = 'asleep'")
        .execute(&world.pool)
        .await
        .unwrap();
    let query = "capability=Vision&budgetMinor=1000&top=10";
    let named = recommended(&buyer.client, query).await;
    let ids: Vec<&str> = named
        .iter()
        .map(|each| each["agent"]["agentId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["cheap", "dear"]);
    let why = &named[0]["why"];
    let part = |name: &str| why[name].as_f64().unwrap();
    assert_eq!(
        (
            part("reputation"),
            part("price"),
            part("room"),
            part("dealings")
        ),
        (0.5, 0.9, 1.0, 0.5)
    );
    let score = 0.45 * 0.5 + 0.2 * 0.9 + 0.2 * 1.0 + 0.15 * 0.5;
    assert!((part("score") - score).abs() < 1e-9, "{why}");
    assert!(
        why["explanation"].as_str().unwrap().contains("price 90 %"),
        "{why}"
    );
    let busy = recommended(&buyer.client, &format!("{query}&includeBusy=true")).await;
    assert_eq!(busy.len(), 3);
    for query in [
        "",
        "capability=vision&top=0",
        "capability=vision&top=21",
        "capability=vision&budgetMinor=-1",
    ] {
        let answer = world
            .anonymous
            .get(&format!("/api/agents/recommend?{query}"))
            .await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equals_are_chosen_evenly_and_a_newcomer_is_not_flooded() {
    let world = World::only_api().await;
    for number in 0..5 {
        register_with(&world.seller, &format!("equal-{number}"), json!({})).await;
    }
    let count = |rounds: usize| {
        let client = world.anonymous.clone();
        async move {
            let mut choices: HashMap<String, usize> = HashMap::new();
            for _ in 0..rounds {
                let named = recommended(&client, "capability=vision&top=1").await;
                assert_eq!(named[0]["why"]["byRoundRobin"], true);
                *choices
                    .entry(named[0]["agent"]["agentId"].to_string())
                    .or_default() += 1;
            }
            choices
        }
    };
    let choices = count(50).await;
    assert!(
        choices.values().all(|choices| *choices == 10),
        "{choices:?}"
    );
    register_with(&world.seller, "newcomer", json!({})).await;
    let choices = count(60).await;
    assert!(
        choices.values().all(|choices| *choices == 10),
        "{choices:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reputation_rises_with_tasks_that_went_well_and_is_explained_by_them() {
    let world = World::start().await;
    let payer = market(&world, 100_000).await;
    let shown = || async { world.anonymous.get("/api/agents/broker").await.data() };
    assert_eq!(shown().await["reputation"], 2.5);
    let task = delivered(&world, &payer).await;
    let early = payer
        .client
        .post(
            &format!("/api/agent-tasks/{task}/rating"),
            &json!({ "stars": 5 }),
        )
        .await;
    assert_eq!(early.status, 409, "it has not ended");
    acted(&payer.client, &task, "settle", &json!({})).await;
    let after_one = eventually("the task to count", || async {
        let agent = shown().await;
        (agent["tasksSucceeded"] == 1).then(|| agent["reputation"].as_f64().unwrap())
    })
    .await;
    assert!(after_one > 2.5);
    let rated = acted(&payer.client, &task, "rating", &json!({ "stars": 1 })).await;
    assert_eq!(rated["rating"], 1);
    let again = payer
        .client
        .post(
            &format!("/api/agent-tasks/{task}/rating"),
            &json!({ "stars": 5 }),
        )
        .await;
    assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
    let after_rating = eventually("the rating to count", || async {
        let reputation = shown().await["reputation"].as_f64().unwrap();
        (reputation < after_one).then_some(reputation)
    })
    .await;
    let given_up = hire(&payer).await;
    acted(&world.seller, &given_up, "accept", &json!({})).await;
    acted(&world.seller, &given_up, "decline", &json!({})).await;
    let explained = eventually("the failure to count", || async {
        let agent = shown().await;
        (agent["tasksFailed"] == 1).then_some(agent)
    })
    .await;
    let reputation = explained["reputation"].as_f64().unwrap();
    assert!(reputation < after_rating);
    let why = world
        .anonymous
        .get("/api/agents/broker/reputation")
        .await
        .data();
    let terms = why["terms"].as_array().unwrap();
    assert_eq!(terms.len(), 2);
    let sum = |of: &dyn Fn(&Value) -> f64| terms.iter().map(of).sum::<f64>();
    let weight = |term: &Value| term["weight"].as_f64().unwrap();
    let good = sum(&|term| weight(term) * term["success"].as_f64().unwrap());
    let score = 5.0 * (5.0 + good) / (10.0 + sum(&weight));
    assert!(
        (why["score"].as_f64().unwrap() - score).abs() < 1e-9,
        "{why:#}"
    );
    assert!(
        (score - reputation).abs() < 1e-4,
        "what is kept is what is explained, but for seconds of age"
    );
    assert_eq!(
        found(&world.anonymous, "capabilities=vision").await.len(),
        2
    );
}
