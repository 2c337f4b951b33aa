//! Leases as the tests ask for them.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World, eventually};

/// Asks for a lease that is to last long enough for any test.
pub async fn ask(client: &Client, resource: &str, wait_ms: u64) -> Answer {
    let body = json!({ "resource": resource, "ttlMs": 300_000, "waitMs": wait_ms });
    client.post("/api/ai/leases", &body).await
}

/// Acquires it.
pub async fn acquire(client: &Client, resource: &str) -> Value {
    granted(&ask(client, resource, 0).await)
}

/// The lease of a good answer.
pub fn granted(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()
}

pub fn token(lease: &Value) -> &str {
    lease["token"].as_str().unwrap()
}

pub fn fence(lease: &Value) -> i64 {
    lease["fence"].as_i64().unwrap()
}

pub async fn extend(client: &Client, resource: &str, token: &str, ttl_ms: u64) -> Answer {
    let request = client.request(Method::PUT, &format!("/api/ai/leases/{resource}"));
    let request = request.header("lease-token", token);
    send(request.json(&json!({ "ttlMs": ttl_ms }))).await
}

pub async fn release(client: &Client, resource: &str, token: &str) -> Answer {
    let request = client.request(Method::DELETE, &format!("/api/ai/leases/{resource}"));
    send(request.header("lease-token", token)).await
}

pub async fn show(client: &Client, resource: &str) -> Answer {
    client.get(&format!("/api/ai/leases/{resource}")).await
}

/// A bad answer's status and `details.reason`.
pub fn reason(answer: &Answer) -> (u16, String) {
    let details = answer.details();
    let reason = details["reason"].as_str().unwrap_or_default();
    (answer.status, reason.to_owned())
}

/// Lets the time of all leases pass.
pub async fn expire(world: &World) {
    sqlx::query("update leases set expires_at = clock_timestamp()")
        .execute(&world.pool)
        .await
        .unwrap();
}

/// Waits until so many wait in line.
pub async fn in_line(world: &World, count: i64) {
    eventually("a place in line", || async {
        let waiting = "select count(*) from lease_waiters";
        (world.count(waiting).await == count).then_some(())
    })
    .await;
}

/// Waits until so many statements of the programs wait for a lock.
pub async fn blocked(world: &World, count: i64) {
    eventually("a statement that waits for a lock", || async {
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        (world.count(waiting).await == count).then_some(())
    })
    .await;
}
