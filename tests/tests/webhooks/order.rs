//! Order: ordered endpoints hear of one subject in order, whatever fails.

use axum::http::StatusCode;
use common::webhooks::EventType;
use local::receiver::Reply;
use serde_json::json;
use tests::World;
use uuid::Uuid;

use super::ground::{arrived, arrives, happens, hurries_to, put_off, register};

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_waits_for_its_own_failures_and_no_other_subject_does() {
    let world = World::start().await;
    register(&world, "/hooks", json!({ "ordering": "subject" })).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    let (blocked, free) = (Uuid::new_v4(), Uuid::new_v4());
    happens(&world, EventType::UploadFailed, blocked, 1).await;
    arrives(&world, "/hooks", |it| {
        it.upload_id.as_deref() == Some("upload_1")
    })
    .await;
    super::ground::becomes(&world, "select exists (select from webhook_attempts)").await;
    put_off(&world).await;
    happens(&world, EventType::UploadFailed, blocked, 2).await;
    world.receiver.set_reply_at("/hooks", Reply::default());
    happens(&world, EventType::UploadFailed, free, 3).await;
    arrives(&world, "/hooks", |it| {
        it.upload_id.as_deref() == Some("upload_3")
    })
    .await;
    let early: Vec<_> = arrived(&world, "/hooks")
        .into_iter()
        .filter_map(|it| it.upload_id)
        .collect();
    assert_eq!(early, ["upload_1", "upload_3"]);
    hurries_to(
        &world,
        "select bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let all: Vec<_> = arrived(&world, "/hooks")
        .into_iter()
        .filter_map(|it| it.upload_id)
        .collect();
    assert_eq!(all, ["upload_1", "upload_3", "upload_1", "upload_2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_rise_and_sort_what_arrives_unordered() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    for number in 0..20 {
        happens(&world, EventType::UploadFailed, Uuid::new_v4(), number).await;
    }
    super::ground::becomes(
        &world,
        "select count(*) = 20 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let mut heard = arrived(&world, "/hooks");
    heard.sort_by_key(|it| it.body["sequence"].as_i64());
    let order: Vec<_> = heard.into_iter().filter_map(|it| it.upload_id).collect();
    let expected: Vec<_> = (0..20).map(|number| format!("upload_{number}")).collect();
    assert_eq!(order, expected);
}
