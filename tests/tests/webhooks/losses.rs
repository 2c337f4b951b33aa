//! The windows in which other systems lose or repeat webhooks, one test each:
//!
//! | # | Window | Test |
//! |---|---|---|
//! | 1 | accepted, never pushed | `what_was_committed_and_never_rung_is_delivered` |
//! | 2 | Redis loses its memory | `webhook_faults`: `flushing_redis_loses_no_retry` |
//! | 3 | PostgreSQL is away for minutes | `webhook_faults`: `an_outage_of_postgresql_burns_no_try` |
//! | 4 | a failing manual resend ends the chain | `a_failing_resend_does_not_end_the_chain` |
//! | 5 | forked chains | `repeated_rings_and_a_second_worker_fork_no_chain` |
//! | 6 | a body that never ends | `a_body_that_never_ends_is_cut_and_others_go_on` |
//! | 7 | poison | `a_poisoned_delivery_fails_alone` |
//! | 8 | bulk recovery skips and stops | `recoveries`: `a_recovery_of_thousands_skips_none_and_spares_the_endpoint` |
//! | 9 | an endpoint's health is forgotten | `a_restart_forgets_no_breaker` |
//! | 10 | a name that changes its address | `webhook_client`: the rebinding resolvers |

use axum::http::StatusCode;
use common::webhooks::EventType;
use local::receiver::Reply;
use serde_json::json;
use tests::World;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use super::ground::{
    arrived, arrives, becomes, fail_uploads, happens, hurries_to, put_off, register,
};

const LOG: &str = "/api/ai/webhooks/deliveries";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_and_never_rung_is_delivered() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    // As if the process had died between its commit and its ring.
    let committed = "select announce_webhook_event(gen_random_uuid(), owner_id, gen_random_uuid(), 'upload.failed', 'once',
                            convert_to('{\"event\":\"upload.failed\",\"uploadId\":\"upload_1\",\"error\":\"x\"}', 'utf8'), 'req_test', null, null)
                     from webhook_endpoints";
    sqlx::query(committed).execute(&world.pool).await.unwrap();
    arrives(&world, "/hooks", |_| true).await;
    becomes(
        &world,
        "select bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_resend_does_not_end_the_chain() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    fail_uploads(&world, 1).await;
    becomes(
        &world,
        "select exists (select from webhook_deliveries where tries = 1)",
    )
    .await;
    put_off(&world).await;
    let log = world.seller.get(LOG).await.data();
    let id = log["deliveries"][0]["deliveryId"].as_str().unwrap();
    let answer = world
        .seller
        .post(&format!("{LOG}/{id}/resend"), &json!({}))
        .await
        .data();
    assert_eq!(
        (&answer["status"], &answer["tries"]),
        (&json!("pending"), &json!(1))
    );
    assert!(answer["attempts"].as_i64().unwrap() >= 2);
    world.receiver.set_reply_at("/hooks", Reply::default());
    hurries_to(
        &world,
        "select bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_rings_and_a_second_worker_fork_no_chain() {
    let mut world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    // The first worker goes on beside the second: dropping the handle stops nothing.
    world.start_worker().await;
    let outbox = world.outbox().await;
    let alarm: common::ids::JobId = sqlx::query_scalar("select job_id from webhook_endpoints")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    for number in 0..30 {
        happens(&world, EventType::UploadFailed, Uuid::new_v4(), number).await;
        for _ in 0..10 {
            outbox.ring(alarm);
        }
    }
    becomes(
        &world,
        "select count(*) = 30 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    assert_eq!(arrived(&world, "/hooks").len(), 30);
    assert_eq!(
        world.count("select count(*) from webhook_attempts").await,
        30
    );
    assert_eq!(
        world
            .count("select count(*) from jobs where name = 'deliver_webhook'")
            .await,
        1
    );
}

/// A receiver that sends a good head and then a byte now and then, for ever.
async fn dribble() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _read = socket.read(&mut request).await;
                let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut sent = socket.write_all(head).await;
                while sent.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    sent = socket.write_all(b"1\r\nx\r\n").await;
                }
            });
        }
    });
    format!("http://{address}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_cut_and_others_go_on() {
    let world = World::start().await;
    let request = json!({ "url": dribble().await, "timeoutSeconds": 5 });
    let answer = world.seller.post(super::ground::ENDPOINTS, &request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 1).await;
    arrives(&world, "/hooks", |_| true).await;
    becomes(&world, "select exists (select from webhook_attempts where outcome = 'timeout_body' and status_code = 200)").await;
    let retried = "select count(*) from webhook_deliveries where state = 'pending' and tries = 1";
    assert_eq!(world.count(retried).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_delivery_fails_alone() {
    let world = World::without_worker().await;
    let uploads = json!({ "eventTypes": ["upload.*"] });
    register(&world, "/hooks", uploads).await;
    fail_uploads(&world, 9).await;
    // The bytes of one event are gone without a trace.
    let poison = "delete from webhook_bodies where event_id = (select id from webhook_events order by sequence limit 1 offset 4)";
    sqlx::query(poison).execute(&world.pool).await.unwrap();
    let mut world = world;
    world.start_worker().await;
    becomes(
        &world,
        "select count(*) = 8 from webhook_deliveries where state = 'delivered'",
    )
    .await;
    becomes(&world, "select count(*) = 1 from webhook_deliveries where state = 'failed' and outcome = 'expunged'").await;
    assert_eq!(
        arrived(&world, "/hooks")
            .iter()
            .filter(|it| it.event.as_deref() == Some("upload.failed"))
            .count(),
        8
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_no_breaker() {
    let mut world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    fail_uploads(&world, 12).await;
    becomes(
        &world,
        "select exists (select from webhook_health where memory->'breaker'->>'state' = 'open')",
    )
    .await;
    let tried = arrived(&world, "/hooks").len();
    world.restart().await;
    fail_uploads(&world, 5).await;
    becomes(&world, "select count(*) = 17 from webhook_deliveries").await;
    // A fresh endpoint is told at once; this one still rests.
    register(&world, "/fresh", json!({})).await;
    happens(&world, EventType::UploadFailed, Uuid::new_v4(), 99).await;
    arrives(&world, "/fresh", |_| true).await;
    assert_eq!(arrived(&world, "/hooks").len(), tried);
}
