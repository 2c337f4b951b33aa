//! Fetches that wait for something to hand out.

use serde_json::{Value, json};
use tests::{World, eventually};
use tokio::task::JoinHandle;

use super::consumer::{Consumer, append, numbers, world};

/// How often subscriptions were looked at: each look draws a fence.
const LOOKS: &str = "select case when is_called then last_value else 0 end from event_fences";

/// A fetch of one event that has found nothing, and waits.
async fn wait_for_one(world: &World, consumer: &Consumer) -> JoinHandle<Value> {
    let looks = world.count(LOOKS).await;
    let fetching = consumer.clone();
    let fetch = tokio::spawn(async move {
        let body = json!({ "limit": 1, "waitSeconds": 40 });
        let answer = fetching.post("fetch", &body).await;
        answer.json()
    });
    eventually("the fetch has looked", || async {
        (world.count(LOOKS).await > looks).then_some(())
    })
    .await;
    assert!(!fetch.is_finished());
    fetch
}

async fn got(fetch: JoinHandle<Value>) -> Vec<Value> {
    let answer = fetch.await.unwrap();
    answer["data"]["events"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_waits_is_woken_by_what_happens() {
    let mut world = world().await;
    world.start_scheduler().await;
    let body = json!({ "types": ["orders.*"] });
    let consumer = Consumer::subscribe(&world.seller, "billing", body).await;
    let fetch = wait_for_one(&world, &consumer).await;
    append(&world, &world.stranger, "orders-1", [1]).await;
    append(&world, &world.seller, "carts-1", [2]).await;
    append(&world, &world.seller, "orders-1", [3]).await;
    assert_eq!(numbers(&got(fetch).await), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_waits_is_woken_by_what_other_consumers_do() {
    let world = world().await;
    let body = json!({ "ackSeconds": 3600 });
    let consumer = Consumer::subscribe(&world.seller, "billing", body).await;
    append(&world, &world.seller, "orders-1", [1, 2]).await;
    let first = consumer.fetch(1).await;
    assert_eq!(numbers(&first), [1]);
    // 2 is of the same stream.
    let fetch = wait_for_one(&world, &consumer).await;
    consumer.acknowledge(&first).await;
    let second = got(fetch).await;
    assert_eq!(numbers(&second), [2]);

    let fetch = wait_for_one(&world, &consumer).await;
    consumer.release(&second, 0).await;
    assert_eq!(numbers(&got(fetch).await), [2]);

    let fetch = wait_for_one(&world, &consumer).await;
    consumer.post("seek", &json!({ "to": "earliest" })).await;
    assert_eq!(numbers(&got(fetch).await), [1]);

    let fetch = wait_for_one(&world, &consumer).await;
    let path = "/api/ai/event-subscriptions/billing";
    assert_eq!(world.seller.delete(path).await.status, 204);
    assert_eq!(fetch.await.unwrap()["error"]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_waits_gets_what_becomes_due_meanwhile() {
    let world = world().await;
    let body = json!({ "ackSeconds": 1 });
    let consumer = Consumer::subscribe(&world.seller, "billing", body).await;
    append(&world, &world.seller, "orders-1", [1]).await;
    consumer.fetch(1).await;
    let body = json!({ "waitSeconds": 40 });
    let again = consumer.post("fetch", &body).await.data();
    assert_eq!(again["events"][0]["data"]["n"], 1);
    assert_eq!(again["events"][0]["attempt"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_while_it_waits_is_handed_out_nothing() {
    let world = world().await;
    let consumer = Consumer::subscribe(&world.seller, "billing", json!({})).await;
    let body = json!({ "name": "consumer", "permissions": ["events"] });
    let made = world.seller.post("/api/ai/keys", &body).await.data();
    let revoked = Consumer {
        client: world.seller.with_token(made["apiKey"].as_str().unwrap()),
        name: consumer.name,
    };
    let fetch = wait_for_one(&world, &revoked).await;
    let path = format!("/api/ai/keys/{}", made["id"].as_str().unwrap());
    assert!(world.seller.delete(&path).await.status < 300);
    append(&world, &world.seller, "orders-1", [1]).await;
    assert_eq!(fetch.await.unwrap()["error"]["code"], "UNAUTHORIZED");
    let batch = consumer.fetch(9).await;
    assert_eq!(
        (numbers(&batch), &batch[0]["attempt"]),
        (vec![1], &json!(1))
    );
}
