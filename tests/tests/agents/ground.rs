//! Agents as the tests register them.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client};

/// What an owner says of an agent.
pub fn agent(id: &str) -> Value {
    json!({
        "agentId": id,
        "name": "Vision Broker",
        "capabilities": ["vision", "translation"],
        "costPerTaskMinor": 250,
    })
}

/// Registers it.
pub async fn register(owner: &Client, id: &str) -> Value {
    let answer = owner.post("/api/agents", &agent(id)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()
}

/// Changes it, whatever its version.
pub async fn change(owner: &Client, id: &str, changes: &Value) -> Answer {
    let request = owner.request(Method::PATCH, &format!("/api/agents/{id}"));
    send(request.header("if-match", "*").json(changes)).await
}

/// Sends a heartbeat of it.
pub async fn beat(owner: &Client, id: &str) -> Answer {
    let path = format!("/api/agents/{id}/heartbeat");
    send(owner.request(Method::POST, &path)).await
}

/// As everybody sees it.
pub async fn show(anybody: &Client, id: &str) -> Value {
    let answer = anybody.get(&format!("/api/agents/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}
