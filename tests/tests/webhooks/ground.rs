//! A seller with endpoints, events made to order, and time that can be hurried.

use std::time::Duration;

use common::ids::{ApiKeyId, UserId};
use common::webhooks::{Address, EventType, NewEvent, announce_in_tx};
use local::receiver::Received;
use serde_json::{Value, json};
use tests::{DEADLINE, World, eventually};
use uuid::Uuid;

pub const ENDPOINTS: &str = "/api/ai/webhooks/endpoints";

/// The id and key of the seller.
pub async fn seller(world: &World) -> (UserId, ApiKeyId) {
    sqlx::query_as(
        "select users.id, api_keys.id
         from users
         join api_keys on user_id = users.id
         where users.name = 'seller'",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

/// Registers an endpoint of the seller at a path of the receiver.
pub async fn register(world: &World, path: &str, settings: Value) -> Value {
    let mut request = settings;
    request["url"] = json!(format!("{}{path}", world.receiver.url()));
    let answer = world.seller.post(ENDPOINTS, &request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let endpoint = answer.data();
    let secret = endpoint["secret"].as_str().unwrap();
    world.receiver.trust_standard_secret(secret);
    endpoint
}

pub fn id_of(endpoint: &Value) -> String {
    endpoint["endpointId"].as_str().unwrap().to_owned()
}

pub fn path_of(endpoint: &Value) -> String {
    format!("{ENDPOINTS}/{}", id_of(endpoint))
}

/// Something that happens to the seller, once per number.
pub async fn happens(world: &World, event_type: EventType, subject: Uuid, number: u32) {
    happens_at(world, event_type, subject, number, None).await;
}

/// The same, with the address of a request.
pub async fn happens_at(
    world: &World,
    event_type: EventType,
    subject: Uuid,
    number: u32,
    url: Option<&str>,
) {
    let (owner, key) = seller(world).await;
    let mut body = event_type.example_body().clone();
    if let Some(id) = body.get_mut("uploadId") {
        *id = json!(format!("upload_{number}"));
    }
    let event = NewEvent {
        owner,
        subject,
        event_type,
        occasion: Some(number.to_string().into()),
        body: serde_json::to_vec(&body).unwrap(),
        trace: "req_test".into(),
        address: Address::of(url, key),
    };
    let outbox = world.outbox().await;
    let mut tx = outbox.begin().await.unwrap();
    announce_in_tx(&mut tx, &event).await.unwrap();
    tx.commit().await.unwrap();
    // The ring is on its way; the outbox of this moment goes.
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// As many uploads that failed, of different subjects.
pub async fn fail_uploads(world: &World, count: u32) {
    for number in 0..count {
        happens(world, EventType::UploadFailed, Uuid::new_v4(), number).await;
    }
}

/// The next delivery at a path that is wanted.
pub async fn arrives(
    world: &World,
    path: &str,
    mut wanted: impl FnMut(&Received) -> bool,
) -> Received {
    let at_path = |received: &Received| received.path == path && wanted(received);
    tokio::time::timeout(DEADLINE, world.receiver.wait_for(at_path))
        .await
        .expect("a webhook within the deadline")
}

/// Everything that arrived at a path.
pub fn arrived(world: &World, path: &str) -> Vec<Received> {
    let all = world.receiver.received();
    all.into_iter().filter(|it| it.path == path).collect()
}

/// Waits until a query answers true.
pub async fn becomes(world: &World, sql: &'static str) {
    eventually(sql, || async {
        let found: bool = sqlx::query_scalar(sql)
            .fetch_one(&world.pool)
            .await
            .unwrap();
        found.then_some(())
    })
    .await;
}

/// Puts off every retry, so that only what a test does makes the next attempt.
pub async fn put_off(world: &World) {
    let later =
        "update webhook_deliveries set next_at = now() + interval '1 hour' where state = 'pending'";
    sqlx::query(later).execute(&world.pool).await.unwrap();
}

/// Makes everything that waits for its time due now.
pub async fn hurry(world: &World) {
    for sql in [
        "update webhook_deliveries set next_at = now() where state = 'pending' and next_at > now()",
        "update jobs set state = 'ready', run_at = now(), rests_until = null
         where name = 'deliver_webhook' and state in ('idle', 'ready')",
    ] {
        sqlx::query(sql).execute(&world.pool).await.unwrap();
    }
}

/// Hurries until a query answers true.
pub async fn hurries_to(world: &World, sql: &'static str) {
    eventually(sql, || async {
        hurry(world).await;
        let found: bool = sqlx::query_scalar(sql)
            .fetch_one(&world.pool)
            .await
            .unwrap();
        found.then_some(())
    })
    .await;
}
