//! One who reads a subscription, over HTTP as anybody would.

use common::events;
use common::events::subscriptions::Acknowledgement;
use serde_json::{Value, json};
use tests::{Answer, Client, DEADLINE, World};
use tokio::time::timeout;

/// A client and the name of its subscription.
#[derive(Debug, Clone)]
pub struct Consumer {
    pub client: Client,
    pub name: &'static str,
}

impl Consumer {
    /// Subscribes, to everything from the beginning if the body says nothing else.
    pub async fn subscribe(client: &Client, name: &'static str, mut body: Value) -> Self {
        body["name"] = name.into();
        let answer = client.post("/api/ai/event-subscriptions", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        Self {
            client: client.clone(),
            name,
        }
    }

    /// `POST` to a place under the subscription.
    pub async fn post(&self, place: &str, body: &Value) -> Answer {
        let path = format!("/api/ai/event-subscriptions/{}/{place}", self.name);
        let answer = timeout(DEADLINE, self.client.post(&path, body)).await;
        answer.expect("an answer comes in time")
    }

    /// The subscription as its owner sees it.
    pub async fn get(&self) -> Value {
        let path = format!("/api/ai/event-subscriptions/{}", self.name);
        let answer = self.client.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.data()
    }

    /// Up to so many events, without waiting.
    pub async fn fetch(&self, limit: usize) -> Vec<Value> {
        let answer = self.post("fetch", &json!({ "limit": limit })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.data()["events"].as_array().unwrap().clone()
    }

    /// Acknowledges events: how many are, and what came too late.
    pub async fn acknowledge(&self, events: &[Value]) -> (i64, Vec<Value>) {
        let body = json!({ "acknowledgements": acknowledgements(events) });
        let answer = self.post("acknowledge", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let late = answer.data()["late"].as_array().unwrap().clone();
        (answer.data()["acknowledged"].as_i64().unwrap(), late)
    }

    /// Gives events back.
    pub async fn release(&self, events: &[Value], retry_in_seconds: i64) -> Value {
        let body = json!({
            "acknowledgements": acknowledgements(events),
            "retryInSeconds": retry_in_seconds,
        });
        let answer = self.post("release", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.data()
    }
}

pub fn acknowledgements(events: &[Value]) -> Vec<Value> {
    events
        .iter()
        .map(|event| event["acknowledgement"].clone())
        .collect()
}

/// The number in the data of each.
pub fn numbers(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .map(|event| event["data"]["n"].as_i64().unwrap())
        .collect()
}

/// Only the API runs, and the test gives events their positions.
pub async fn world() -> World {
    World::only_api().await
}

/// Appends events of these numbers to a stream, and puts them into the log.
pub async fn append(
    world: &World,
    client: &Client,
    stream: &str,
    numbers: impl IntoIterator<Item = i64>,
) {
    let family = stream.split('-').next().unwrap();
    let events: Vec<Value> = numbers
        .into_iter()
        .map(|n| json!({ "eventType": format!("{family}.new"), "data": { "n": n } }))
        .collect();
    for events in events.chunks(100) {
        let path = format!("/api/ai/event-streams/{stream}/events");
        let answer = client.post(&path, &json!({ "events": events })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    while events::number_next(&world.pool).await.unwrap().numbered > 0 {}
}

/// Lets the deadlines of these events be over.
pub async fn expire(world: &World, events: &[Value]) {
    for event in events {
        let text = event["acknowledgement"].as_str().unwrap();
        let fence = Acknowledgement::parse(text).unwrap().fence;
        let sql = format!(
            "update subscription_events set due_at = now() - interval '1 hour' where fence = {fence}"
        );
        world.force(&sql).await;
    }
}
