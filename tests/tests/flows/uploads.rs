//! Uploads, from the request to the published package: the three forms, and nothing left behind.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tests::client::send;
use tests::{Sample, World, eventually};

/// The request of the seed document, letter by letter; only the data and the webhook are filled in.
fn seed_request(sample: &Sample, webhook_url: &str) -> String {
    format!(
        r#"{{
  "packageType": "vector",
  "name": "GPT-4 Vision Capabilities",
  "description": "Pre-trained vision capabilities for GPT-4",
  "sourceModel": "gpt-3.5-turbo",
  "targetModel": "gpt-4",
  "epsilon": 0.05,
  "price": 9.99,
  "vectorData": "{}",
  "wMatrixData": "{}",
  "webhookUrl": "{webhook_url}"
}}"#,
        BASE64_STANDARD.encode(&sample.package),
        BASE64_STANDARD.encode(&sample.w_matrix),
    )
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The published objects are the bytes of the sample, and nothing is staged any more.
async fn assert_published(world: &World, sample: &Sample) {
    for bytes in [&sample.package, &sample.w_matrix] {
        let key = format!("packages/{}", digest(bytes));
        assert_eq!(&world.object(&key).await, bytes, "{key}");
    }
    eventually("an empty staging area", || async {
        world.objects("staging/").await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_request_is_accepted_with_the_seeds_answer_and_ends_as_one_package() {
    let world = World::start().await;
    let sample = Sample::vector(1);
    let request = world
        .seller
        .request(Method::POST, "/api/ai/upload-package")
        .header("content-type", "application/json")
        .body(seed_request(&sample, &world.webhook_url()));
    let answer = send(request).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let id = answer.upload_id();
    let status_url = format!("/api/ai/package-status/{id}");
    let expected = json!({
        "success": true,
        "data": {
            "uploadId": id,
            "statusUrl": status_url,
            "message": "Upload initiated. Check status URL for progress.",
        },
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("location"), status_url);
    assert_eq!(answer.header("retry-after"), "1");

    let ended = world.anonymous.ended(&id).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["progress"], 100);
    assert_eq!(ended["error"], json!(null));
    assert!(ended["packageId"].as_str().unwrap().starts_with("pkg_"));
    assert_eq!(world.count("select count(*) from packages").await, 1);
    assert_eq!(world.count("select price_minor from listings").await, 999);
    let sold = "select package_count from users where name = 'seller'";
    assert_eq!(world.count(sold).await, 1);
    assert_published(&world, &sample).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_several_parts_is_published_byte_for_byte() {
    let world = World::start().await;
    let sample = Sample::large(2, 6 * 1024 * 1024);
    let ended = world.publish(&sample.request()).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(
        world
            .count("select package_parts::bigint from uploads")
            .await,
        2
    );
    assert_published(&world, &sample).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multipart_form_is_published_like_json() {
    let world = World::start().await;
    let sample = Sample::vector(3);
    let form = sample.form().text("price", "0.5");
    let request = world.seller.request(Method::POST, "/api/ai/upload-package");
    let answer = send(request.multipart(form)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let ended = world.seller.ended(&answer.upload_id()).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(world.count("select price_minor from listings").await, 50);
    assert_published(&world, &sample).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_uploads_of_the_same_bytes_are_two_packages_over_one_object() {
    let world = World::start().await;
    let sample = Sample::vector(4);
    for _ in 0..2 {
        let ended = world.publish(&sample.request()).await;
        assert_eq!(ended["status"], "completed", "{ended}");
    }
    assert_eq!(world.count("select count(*) from packages").await, 2);
    assert_eq!(world.objects("packages/").await.len(), 2);
    assert_published(&world, &sample).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stage_leaves_its_event_in_order_under_the_requests_id() {
    let world = World::start().await;
    let answer = world.seller.upload(&Sample::vector(5).request()).await;
    let request_id = answer.header("x-request-id").to_owned();
    world.seller.ended(&answer.upload_id()).await;
    let kinds: Vec<String> =
        sqlx::query_scalar("select event_type from events where trace = $1 order by id")
            .bind(&request_id)
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(kinds.first().map(String::as_str), Some("upload.accepted"));
    assert_eq!(kinds.last().map(String::as_str), Some("upload.completed"));
    let traced: Vec<String> =
        sqlx::query_scalar("select name from jobs where trace = $1 order by created_at")
            .bind(&request_id)
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(traced, ["validate_upload", "publish_upload"]);
}
