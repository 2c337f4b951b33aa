//! What lasts ends with the key, the session or the user that began it.

use common::reqwest::{self, Method};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tests::client::send;
use tests::raw::RawRequest;
use tests::{Answer, Client, DEADLINE, Sample, World, eventually};
use tokio::task::JoinHandle;

use super::accounts::{caller, register, signed_in};
use super::sessions::a_minute_later;

/// A request that waits for what does not happen: its answer.
fn waiting(client: &Client, path: &str) -> JoinHandle<Answer> {
    let request = client.request(Method::GET, path);
    tokio::spawn(send(request.header("prefer", "wait=60")))
}

/// A stream of what does not happen, after its first event.
async fn streaming(client: &Client, path: &str) -> reqwest::Response {
    let request = client.request(Method::GET, &format!("{path}/events"));
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: status"), "{first:?}");
    response
}

async fn ends_with_401(waiting: JoinHandle<Answer>) {
    let answer = tokio::time::timeout(DEADLINE, waiting).await;
    let answer = answer.expect("long before the wait is over").unwrap();
    assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()));
    assert!(
        answer.text.contains("not valid any more"),
        "it was let in: {}",
        answer.text
    );
}

async fn ends_with_an_error(response: reqwest::Response) {
    let rest = response.bytes_stream().map(|chunk| chunk.unwrap());
    let rest: Vec<_> = tokio::time::timeout(DEADLINE, rest.collect())
        .await
        .expect("long before the stream is over");
    let text = String::from_utf8(rest.concat()).unwrap();
    assert!(text.contains("event: error"), "{text}");
    assert!(text.contains("\"code\":\"UNAUTHORIZED\""), "{text}");
}

/// An upload that nobody works on: where it is looked at.
async fn pending_upload(world: &World, client: &Client) -> String {
    let answer = client.upload(&Sample::vector(71).request()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(world.count("select count(*) from uploads").await, 1);
    format!("/api/ai/package-status/{}", answer.upload_id())
}

/// A key that was not used yet, and its id.
async fn new_key(world: &World, client: &Client) -> (Client, String) {
    let new = json!({ "name": "short" });
    let data = client.post("/api/ai/keys", &new).await.data();
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (world.anonymous.with_token(&text("apiKey")), text("id"))
}

async fn until_let_in(world: &World, key: &str) {
    eventually("the key is used", || async {
        let used: bool =
            sqlx::query_scalar("select last_used_at is not null from api_keys where id = $1::uuid")
                .bind(key)
                .fetch_one(&world.pool)
                .await
                .unwrap();
        used.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_and_a_stream_end_when_their_key_is_revoked_or_replaced() {
    let world = World::only_api().await;
    let path = pending_upload(&world, &world.seller).await;
    // Whoever holds the address alone has nothing that could be taken away.
    let anonymous = streaming(&world.anonymous, &path).await;
    for (method, end, body) in [
        (Method::DELETE, "", Value::Null),
        (Method::POST, "/rotate", json!({ "overlapSeconds": 0 })),
    ] {
        let (client, id) = new_key(&world, &world.seller).await;
        let wait = waiting(&client, &path);
        until_let_in(&world, &id).await;
        let stream = streaming(&client, &path).await;
        let change = world
            .seller
            .request(method, &format!("/api/ai/keys/{id}{end}"));
        let change = send(change.json(&body)).await;
        assert!(change.status < 300, "{}", change.text);
        ends_with_401(wait).await;
        ends_with_an_error(stream).await;
    }
    let mut rest = anonymous.bytes_stream();
    let next = futures::poll!(rest.next());
    assert!(next.is_pending(), "{next:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_or_a_blocked_user_began_ends_too() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let (here, there) = (
        caller(&world, &tokens),
        caller(&world, &signed_in(&world, "grace").await),
    );
    let path = pending_upload(&world, &here).await;
    let (left, kept) = (
        streaming(&there, &path).await,
        streaming(&here, &path).await,
    );
    let out = there.post("/api/auth/logout", &json!({})).await;
    assert_eq!(out.status, 200, "{}", out.text);
    ends_with_an_error(left).await;
    let stolen = signed_in(&world, "grace").await;
    let robbed = streaming(&caller(&world, &stolen), &path).await;
    let token = json!({ "refreshToken": stolen["refreshToken"] });
    for status in [200, 401] {
        let refreshed = world.anonymous.post("/api/auth/refresh", &token).await;
        assert_eq!(refreshed.status, status, "{}", refreshed.text);
        a_minute_later(&world).await;
    }
    ends_with_an_error(robbed).await;
    let user = tokens["userId"].as_str().unwrap();
    let block = format!("/admin/users/{user}/block");
    let blocked = world
        .operator
        .post(&block, &json!({ "reason": "fraud" }))
        .await;
    assert_eq!(blocked.status, 200, "{}", blocked.text);
    ends_with_an_error(kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_nobody_told_of_ends_a_stream_all_the_same() {
    let world = World::only_api().await;
    let path = pending_upload(&world, &world.seller).await;
    let (client, _) = new_key(&world, &world.seller).await;
    let stream = streaming(&client, &path).await;
    world
        .change("update api_keys set revoked_at = now() where name = 'short'")
        .await;
    ends_with_an_error(stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_while_its_upload_comes_in_makes_none() {
    let world = World::only_api().await;
    let (client, id) = new_key(&world, &world.seller).await;
    let body = Sample::vector(72).request().to_string();
    let (start, rest) = body.as_bytes().split_at(body.len() / 2);
    let mut upload = RawRequest::upload_head(&client, body.len() as u64).await;
    upload.write(start).await;
    until_let_in(&world, &id).await;
    let revoked = world.seller.delete(&format!("/api/ai/keys/{id}")).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    upload.write(rest).await;
    let head = upload.answer_head().await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert_eq!(world.count("select count(*) from uploads").await, 0);
}
