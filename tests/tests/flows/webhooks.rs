//! Webhooks as a receiver sees them: the seed's bytes, both signatures, retries, and silence towards
//! addresses that are not allowed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use common::config::WebhookConfig;
use local::receiver::{Received, Reply, Signature};
use serde_json::json;
use standardwebhooks::Webhook;
use tests::{DEADLINE, Sample, World, eventually};

/// The receiver's check of the seed document, letter by letter, over what it reads as JSON.
const SEED_SNIPPET: &str = r#"
import hmac
import hashlib

def verify_webhook(payload, signature, api_key):
    expected = hmac.new(
        api_key.encode(),
        payload.encode(),
        hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(expected, signature)

import json, sys
print(verify_webhook(*json.load(sys.stdin)))
"#;

fn python_says(payload: &str, signature: &str, api_key: &str) -> String {
    let mut python = Command::new("python3")
        .args(["-c", SEED_SNIPPET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = json!([payload, signature, api_key]).to_string();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn accepted(world: &World, sample: &Sample, url: &str) -> String {
    let answer = world.seller.upload(&sample.request_with_webhook(url)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.upload_id()
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_and_failed_are_the_seeds_bytes() {
    let world = World::start().await;
    let id = accepted(&world, &Sample::vector(101), &world.webhook_url()).await;
    let completed = world.webhook(&id).await;
    let status = world.seller.ended(&id).await;
    let package_id = status["packageId"].as_str().unwrap();
    assert_eq!(
        completed.text,
        format!(
            r#"{{"event":"upload.completed","uploadId":"{id}","packageId":"{package_id}","packageUrl":"https://awareness.market/packages/{package_id}"}}"#
        )
    );
    let refused = Sample::declared_only(102, 0.15);
    let id = accepted(&world, &refused, &world.webhook_url()).await;
    let failed = world.webhook(&id).await;
    assert_eq!(
        failed.text,
        format!(
            r#"{{"event":"upload.failed","uploadId":"{id}","error":"W-Matrix epsilon too high: 0.15 (max: 0.10)"}}"#
        )
    );
    for webhook in [completed, failed] {
        assert_eq!(webhook.path, "/webhook");
        assert_eq!(webhook.headers["content-type"], "application/json");
        assert_eq!(webhook.headers["x-awareness-attempt"], "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_snippet_and_the_standard_library_verify_with_the_key_that_uploaded() {
    let world = World::start().await;
    let id = accepted(&world, &Sample::vector(103), &world.webhook_url()).await;
    let webhook = world.webhook(&id).await;
    let signature = &webhook.headers["x-awareness-signature"];
    let key = world.seller.token();
    assert_eq!(python_says(&webhook.text, signature, key), "True");
    let other = world.stranger.token();
    assert_eq!(python_says(&webhook.text, signature, other), "False");
    let changed = webhook.text.replace("completed", "refunded");
    assert_eq!(python_says(&changed, signature, key), "False");

    use base64::Engine as _;
    let secret = base64::prelude::BASE64_STANDARD.encode(key);
    let mut headers = axum::http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, webhook.headers[name].parse().unwrap());
    }
    let standard = Webhook::new(&secret).unwrap();
    assert!(standard.verify(webhook.text.as_bytes(), &headers).is_ok());
    assert!(standard.verify(changed.as_bytes(), &headers).is_err());
    assert_eq!(webhook.awareness_signature, Signature::Valid);
    assert_eq!(webhook.standard_signature, Signature::Valid);
}

async fn next_after(world: &World, first: &Received) -> Received {
    let number = first.number;
    let next = world.receiver.wait_for(|delivery| delivery.number > number);
    tokio::time::timeout(DEADLINE, next).await.unwrap()
}

/// State and attempts of the one delivery, once it has had so many.
async fn delivery_after(world: &World, attempts: i32) -> String {
    eventually("the attempt to be noted", || async {
        sqlx::query_scalar("select state from webhook_deliveries where attempts = $1")
            .bind(attempts)
            .fetch_optional(&world.pool)
            .await
            .unwrap()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_once_gets_the_same_message_again_and_no_third_time() {
    let world = World::start().await;
    world
        .receiver
        .set_answer(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    let id = accepted(&world, &Sample::vector(104), &world.webhook_url()).await;
    let first = world.webhook(&id).await;
    world.receiver.set_answer(axum::http::StatusCode::OK);
    let second = next_after(&world, &first).await;
    assert_eq!((first.answered, second.answered), (500, 200));
    assert_eq!(second.webhook_id, first.webhook_id);
    assert_eq!(second.text, first.text);
    assert_eq!(second.headers["x-awareness-attempt"], "2");
    assert_eq!(second.standard_signature, Signature::Valid);
    assert_eq!(delivery_after(&world, 2).await, "delivered");
    assert_eq!(world.receiver.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured() {
    let world = World::start().await;
    let busy = axum::http::StatusCode::SERVICE_UNAVAILABLE;
    let reply = Reply::of(busy).with("retry-after", 3600);
    world.receiver.set_reply_at("/webhook", reply);
    let id = accepted(&world, &Sample::vector(105), &world.webhook_url()).await;
    world.webhook(&id).await;
    assert_eq!(delivery_after(&world, 1).await, "pending");
    // It was asked for time, so it paid no try for it.
    let waits = "select extract(epoch from next_at - created_at)::bigint
                 from webhook_deliveries
                 where tries = 0 and holds = 1";
    assert!(world.count(waits).await >= 3600);
}

/// How the first attempt of the one delivery ended.
async fn first_outcome(world: &World) -> String {
    eventually("a first attempt", || async {
        sqlx::query_scalar("select outcome from webhook_attempts where attempt = 1")
            .fetch_optional(&world.pool)
            .await
            .unwrap()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_contacts_no_private_address_even_if_one_was_taken() {
    let mut world = World::without_worker().await;
    let id = accepted(&world, &Sample::vector(106), &world.webhook_url()).await;
    let strict = WebhookConfig {
        allowed_cidrs: Vec::new(),
        allow_http: true,
    };
    world.start_worker_that_may_reach(strict).await;
    assert_eq!(world.seller.ended(&id).await["status"], "completed");
    assert_eq!(first_outcome(&world).await, "blocked_address");
    assert!(world.receiver.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_holds_up_no_upload() {
    let world = World::start().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let id = accepted(&world, &Sample::vector(107), &format!("http://{closed}/x")).await;
    assert_eq!(world.seller.ended(&id).await["status"], "completed");
    assert_eq!(first_outcome(&world).await, "connect_refused");
    let next = accepted(&world, &Sample::vector(108), &world.webhook_url()).await;
    assert_eq!(world.webhook(&next).await.answered, 200);
}
