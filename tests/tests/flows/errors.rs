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
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.awareness.v2+json"
    );
}

/// Caller, method, path, media type of a body that is `{` (or `-` for none), status, code.
const REFUSALS: &str = "
    seller   GET    /nowhere                 -                   404 NOT_FOUND
    seller   GET    /api/ai/nothing         -                   404 NOT_FOUND
    seller   DELETE /api/ai/upload-package  -                   405 METHOD_NOT_ALLOWED
    seller   PUT    /health                 -                   405 METHOD_NOT_ALLOWED
    seller   POST   /api/ai/upload-package  text/plain          415 UNSUPPORTED_MEDIA_TYPE
    seller   POST   /api/ai/upload-package  -                   415 UNSUPPORTED_MEDIA_TYPE
    seller   POST   /api/ai/upload-package  application/json    400 INVALID_INPUT
    seller   POST   /api/ai/upload-package  multipart/form-data 400 INVALID_INPUT
    nobody   POST   /api/ai/upload-package  -                   401 UNAUTHORIZED
    operator GET    /admin/jobs?limit=many  -                   400 INVALID_INPUT
    operator GET    /admin/jobs?colour=red  -                   400 INVALID_INPUT
    operator GET    /admin/jobs/not-an-id   -                   400 INVALID_INPUT
    operator POST   /admin/keys             -                   415 UNSUPPORTED_MEDIA_TYPE
    operator POST   /admin/keys             application/json    400 INVALID_INPUT
";

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_refusal_is_the_seeds_envelope() {
    let world = World::only_api().await;
    for row in REFUSALS.lines().filter(|row| !row.trim().is_empty()) {
        let words: Vec<&str> = row.split_whitespace().collect();
        let [caller, method, path, media_type, status, code] = words[..] else {
            panic!("six words in {row}");
        };
        let caller = match caller {
            "seller" => &world.seller,
            "operator" => &world.operator,
            _ => &world.anonymous,
        };
        let mut request = caller.request(method.parse().unwrap(), path);
        if media_type != "-" {
            request = request.header("content-type", media_type).body("{");
        }
        assert_envelope(&send(request).await, status.parse().unwrap(), code);
    }
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
    assert_eq!(problem["type"], "https://awareness.market/errors/NOT_FOUND");
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
    let traced: Vec<(String, bool)> = sqlx::query_as(
        "select name, trace = $1 from jobs where name <> 'deliver_webhook' order by created_at",
    )
    .bind(&request_id)
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let expected = ["validate_upload", "publish_upload"];
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
