//! Discovery: who is found, in which order, and what clients of A2A find.

use serde_json::{Value, json};
use tests::{Client, World};

use super::ground::{agent, change};
use super::tasks::market;

/// Registers an agent of which that is said.
pub async fn register_with(owner: &Client, id: &str, said: Value) {
    let mut body = agent(id);
    for (field, value) in said.as_object().unwrap() {
        body[field] = value.clone();
    }
    let answer = owner.post("/api/agents", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// The ids of a list, in its order.
pub async fn found(client: &Client, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/api/agents?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    let agents = answer.data()["agents"].as_array().unwrap().clone();
    let ids = agents
        .iter()
        .map(|agent| agent["agentId"].as_str().unwrap().to_owned());
    ids.collect()
}

pub async fn recommended(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/api/agents/recommend?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.data()["recommendations"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_found_by_what_they_can_do_cost_and_say() {
    let world = World::only_api().await;
    let owner = &world.seller;
    let said = [
        (
            "cheap",
            json!({ "capabilities": ["vision"], "costPerTaskMinor": 10 }),
        ),
        (
            "clever",
            json!({
                "capabilities": ["Vision", "Image Labels"],
                "costPerTaskMinor": 900,
                "description": "Knows Модель предложений and écoles.",
            }),
        ),
        (
            "poet",
            json!({ "name": "Dichter", "capabilities": ["poems"], "costPerTaskMinor": 50, "availability": "busy" }),
        ),
    ];
    for (id, said) in said {
        register_with(owner, id, said).await;
    }
    for (query, expected) in [
        ("sort=cost", vec!["cheap", "poet", "clever"]),
        ("capabilities=vision&sort=cost", vec!["cheap", "clever"]),
        (
            "capabilities=ＶＩＳＩＯＮ,poems&sort=cost",
            vec!["cheap", "poet", "clever"],
        ),
        (
            "capabilities=vision,image%20labels&match=all",
            vec!["clever"],
        ),
        ("capabilities=vision&maxCostMinor=100", vec!["cheap"]),
        ("availability=busy", vec!["poet"]),
        ("present=true&sort=cost", vec!["cheap", "poet", "clever"]),
        ("minReputation=2.6", vec![]),
        ("query=dichter", vec!["poet"]),
        ("query=labels%20image", vec!["clever"]),
        ("query=модель", vec!["clever"]),
        ("query=École", vec!["clever"]),
        ("query=vision%20poems", vec![]),
    ] {
        assert_eq!(found(&world.anonymous, query).await, expected, "{query}");
    }
    assert_eq!(
        found(owner, "mine=true&sort=cost").await,
        ["cheap", "poet", "clever"]
    );
    assert!(found(&world.stranger, "mine=true").await.is_empty());
    assert_eq!(
        world.anonymous.get("/api/agents?mine=true").await.status,
        401
    );
    let answer = world.anonymous.get("/api/agents/capabilities").await.data();
    let first = &answer["capabilities"][0];
    assert_eq!(
        (
            &first["capability"],
            &first["agents"],
            &first["costMinMinor"]
        ),
        (&json!("vision"), &json!(2), &json!(10))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_for_is_refused() {
    let world = World::only_api().await;
    for query in [
        "maxCostMinor=-1",
        "minReputation=6",
        "minReputation=NaN",
        "sort=beauty",
        "cursor=x",
        "present=perhaps",
        "capability=vision",
    ] {
        let answer = world.anonymous.get(&format!("/api/agents?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_name_each_agent_once_in_every_order() {
    let world = World::only_api().await;
    for number in 0..25 {
        let cost = json!({ "costPerTaskMinor": number % 3 });
        register_with(&world.seller, &format!("agent-{number}"), cost).await;
    }
    for sort in ["reputation", "cost", "latency", "load"] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/agents?sort={sort}&limit=7&cursor={cursor}");
            let data = world.anonymous.get(&path).await.data();
            let page = data["agents"].as_array().unwrap();
            ids.extend(page.iter().map(|agent| agent["agentId"].to_string()));
            match data["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(ids.len(), 25, "{sort}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 25, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_of_a_blocked_owner_are_not_on_the_market() {
    let world = World::start().await;
    let payer = market(&world, 1000).await;
    let seller = world.seller_id().await;
    let block = json!({ "reason": "fraud" });
    let blocked = world
        .operator
        .post(&format!("/admin/users/{seller}/block"), &block)
        .await;
    assert_eq!(blocked.status, 200, "{}", blocked.text);
    assert_eq!(world.anonymous.get("/api/agents/broker").await.status, 404);
    assert_eq!(
        found(&world.anonymous, "capabilities=vision").await,
        ["client"]
    );
    assert!(
        recommended(&payer.client, "capability=vision")
            .await
            .is_empty()
    );
    let body = super::tasks::request();
    assert_eq!(
        payer
            .client
            .post("/api/agents/broker/tasks", &body)
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_of_a_verified_card_is_found() {
    let world = World::only_api().await;
    register_with(&world.seller, "broker", json!({})).await;
    sqlx::query(
        "insert into agent_cards (agent_id, fetch_id, state, document, skills)
         values ('broker', gen_random_uuid(), 'pending', null, '[]')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    sqlx::query(
        "update agent_cards
         set state = 'verified', document = '{}',
             skills = '[{\"id\": \"s\", \"name\": \"Segments\", \"description\": \"Panoptic masks.\", \"tags\": [\"pixels\"]}]'",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    for word in ["panoptic", "segment", "pixels"] {
        assert_eq!(
            found(&world.stranger, &format!("query={word}")).await,
            ["broker"],
            "{word}"
        );
    }
    change(&world.seller, "broker", &json!({ "description": "More." })).await;
    assert_eq!(
        found(&world.anonymous, "query=panoptic%20more").await,
        ["broker"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a2a_reads_the_card_of_the_market_and_finds_agents_by_a_message() {
    let world = World::only_api().await;
    register_with(&world.seller, "broker", json!({})).await;
    let card = world.anonymous.get("/.well-known/agent-card.json").await;
    let text = &card.text;
    let policy = common::webhooks::Policy {
        allow_http: true,
        allow_list: vec!["127.0.0.0/8".parse().unwrap()].into(),
    };
    let checked = common::agents::card::check(text, None, &policy).unwrap();
    assert_eq!(checked.supported_interfaces[0].protocol_binding, "JSONRPC");
    assert_eq!(
        &world.anonymous.get("/.well-known/agent.json").await.text,
        text
    );
    let call = async |method: &str, params: Value| {
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = world.anonymous.post("/a2a", &call).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    let message = json!({ "message": {
        "messageId": "m1", "role": "ROLE_USER", "parts": [{ "text": "translation" }],
    } });
    let answer = call("SendMessage", message).await;
    assert_eq!(
        (&answer["jsonrpc"], &answer["id"]),
        (&json!("2.0"), &json!(7))
    );
    let part = &answer["result"]["message"]["parts"][0];
    assert_eq!(part["data"]["agents"][0]["agentId"], "broker", "{answer}");
    for (method, params, code) in [
        ("GetTask", json!({ "id": "1" }), -32004),
        ("Dance", json!({}), -32601),
        ("SendMessage", json!({ "message": { "parts": [] } }), -32602),
    ] {
        assert_eq!(
            call(method, params).await["error"]["code"],
            code,
            "{method}"
        );
    }
}
