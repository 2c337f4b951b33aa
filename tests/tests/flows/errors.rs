//! Every error of every path has one shape, and one request id runs through all that it caused.

use common::reqwest::Method;
use serde_json::json;
use tests::client::send;
use tests::{Answer, Sample, World};

/// The seed's envelope, with the id that the header carries.
fn assert_envelope(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.fault(), (status, code.to_owned()), "{}", answer.text);
    let body = answer.json();
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    assert!(body["error"]["details"].is_object(), "{body}");
    let request_id = body["metadata"]["requestId"].as_str().unwrap();
    assert_eq!(request_id, answer.header("x-request-id"));
    assert!(!request_id.is_empty());
    let timestamp = body["metadata"]["timestamp"].as_str().unwrap();
    assert!(
        chrono::DateTime::parse_from_rfc3339(timestamp).is_ok(),
        "{timestamp}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_refusal_is_the_seeds_envelope() {
    let world = World::only_api().await;
    let upload = "/api/ai/upload-package";
    let cases = [
        (&world.seller, Method::GET, "/", None, 404, "NOT_FOUND"),
        (
            &world.seller,
            Method::GET,
            "/api/ai/nothing",
            None,
            404,
            "NOT_FOUND",
        ),
        (
            &world.seller,
            Method::DELETE,
            upload,
            None,
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            &world.seller,
            Method::PUT,
            "/health",
            None,
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            &world.seller,
            Method::POST,
            upload,
            Some("text/plain"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            &world.seller,
            Method::POST,
            upload,
            None,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            &world.seller,
            Method::POST,
            upload,
            Some("application/json"),
            400,
            "INVALID_INPUT",
        ),
        (
            &world.seller,
            Method::POST,
            upload,
            Some("multipart/form-data"),
            400,
            "INVALID_INPUT",
        ),
        (
            &world.anonymous,
            Method::POST,
            upload,
            None,
            401,
            "UNAUTHORIZED",
        ),
        (
            &world.operator,
            Method::GET,
            "/admin/jobs?limit=many",
            None,
            400,
            "INVALID_INPUT",
        ),
        (
            &world.operator,
            Method::GET,
            "/admin/jobs?colour=red",
            None,
            400,
            "INVALID_INPUT",
        ),
        (
            &world.operator,
            Method::GET,
            "/admin/jobs/not-an-id",
            None,
            400,
            "INVALID_INPUT",
        ),
        (
            &world.operator,
            Method::POST,
            "/admin/keys",
            None,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ];
    for (caller, method, path, media_type, status, code) in cases {
        let mut request = caller.request(method, path);
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type).body("{");
        }
        assert_envelope(&send(request).await, status, code);
    }
    let broken = world
        .operator
        .request(Method::POST, "/admin/keys")
        .header("content-type", "application/json");
    assert_envelope(
        &send(broken.body("{\"user\": ")).await,
        400,
        "INVALID_INPUT",
    );
    let large = json!({ "name": "n".repeat(70_000) });
    let answer = world.seller.post("/api/ai/uploads", &large).await;
    assert_envelope(&answer, 413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_problem_details_gets_rfc_9457() {
    let world = World::only_api().await;
    let request = world
        .anonymous
        .request(Method::GET, "/api/ai/package-status/upload_nobody")
        .header("accept", "application/problem+json");
    let answer = send(request).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], 404);
    assert_eq!(problem["title"], "Not Found");
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["code"], "NOT_FOUND");
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    assert_eq!(problem["requestId"], answer.header("x-request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_runs_from_the_upload_through_its_jobs_to_the_webhook() {
    let world = World::start().await;
    let request = Sample::vector(91).request_with_webhook(&world.webhook_url());
    let answer = world.seller.upload(&request).await;
    let request_id = answer.header("x-request-id").to_owned();
    let webhook = world.webhook(&answer.upload_id()).await;
    assert_eq!(webhook.headers["x-request-id"], request_id);
    let traced: Vec<(String, bool)> =
        sqlx::query_as("select name, trace = $1 from jobs order by created_at")
            .bind(&request_id)
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let expected = ["validate_upload", "publish_upload", "deliver_webhook"];
    assert_eq!(traced, expected.map(|name| (name.to_owned(), true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_names_the_part_that_is_away() {
    let world = World::only_api().await;
    let healthy = world.anonymous.get("/health").await;
    assert_eq!(
        (healthy.status, &healthy.json()["status"]),
        (200, &json!("healthy"))
    );
    world.s3.faults().set_error_rate(1.0);
    let degraded = world.anonymous.get("/health").await;
    assert_eq!(degraded.status, 200);
    assert_eq!(degraded.json()["status"], "degraded");
    assert_eq!(degraded.json()["degraded"], json!(["storage"]));
}
