//! What operators see and steer: jobs and queues, with effects that clients can see.

use common::ids::UploadId;
use common::reqwest::Method;
use common::storage::{Blob, staging_key};
use serde_json::{Value, json};
use std::time::Duration;
use tests::client::send;
use tests::{Sample, World, eventually};

async fn accepted(world: &World, seed: u64) -> String {
    let answer = world.seller.upload(&Sample::vector(seed).request()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.upload_id()
}

/// The newest job of that name, as operators see it.
async fn job(world: &World, name: &str) -> Value {
    let list = world
        .operator
        .get(&format!("/admin/jobs?name={name}"))
        .await;
    list.data()["jobs"][0].clone()
}

fn id_of(job: &Value) -> &str {
    job["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_routes_are_closed_to_everybody_else() {
    let world = World::only_api().await;
    let job_id = uuid::Uuid::now_v7();
    let routes = [
        (Method::GET, "/admin/queues".to_owned()),
        (Method::POST, "/admin/queues/validate/pause".to_owned()),
        (Method::POST, "/admin/queues/validate/resume".to_owned()),
        (Method::GET, "/admin/jobs".to_owned()),
        (Method::POST, "/admin/jobs/replay".to_owned()),
        (Method::GET, "/admin/payments".to_owned()),
        (
            Method::GET,
            "/admin/payments/pay_00000000000000000000000000000000".to_owned(),
        ),
        (Method::GET, format!("/admin/jobs/{job_id}")),
        (Method::POST, format!("/admin/jobs/{job_id}/retry")),
        (Method::POST, format!("/admin/jobs/{job_id}/cancel")),
        (Method::GET, "/admin/tasks".to_owned()),
        (Method::POST, "/admin/tasks/sweep_words/run".to_owned()),
        (Method::GET, "/admin/analytics".to_owned()),
        (Method::POST, "/admin/analytics/rebuild".to_owned()),
        (Method::GET, "/admin/payloads".to_owned()),
        (Method::DELETE, "/admin/payloads/1".to_owned()),
        (Method::GET, "/admin/keys".to_owned()),
        (Method::POST, "/admin/keys".to_owned()),
        (Method::DELETE, format!("/admin/keys/{job_id}")),
        (Method::POST, "/admin/credits".to_owned()),
        (Method::POST, "/admin/ledger/audit".to_owned()),
    ];
    let wrong = world.anonymous.with_token("operator-token-of-the-test");
    for caller in [&world.anonymous, &world.seller, &wrong] {
        for (method, path) in &routes {
            let answer = send(caller.request(method.clone(), path).json(&json!({}))).await;
            let refused = (401, "UNAUTHORIZED".to_owned());
            assert_eq!(answer.fault(), refused, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_newest_first_filtered_and_inspected() {
    let world = World::start().await;
    for seed in 111..113 {
        let id = accepted(&world, seed).await;
        world.seller.ended(&id).await;
    }
    let all = world.operator.get("/admin/jobs").await.data();
    let all = all["jobs"].as_array().unwrap();
    assert_eq!(all.len(), 4);
    let first_page = world.operator.get("/admin/jobs?limit=3").await.data();
    assert_eq!(first_page["jobs"], json!(all[..3]));
    let next = first_page["nextCursor"].as_str().unwrap();
    let second_page = world
        .operator
        .get(&format!("/admin/jobs?limit=3&cursor={next}"))
        .await
        .data();
    assert_eq!(second_page["jobs"], json!(all[3..]));
    let published = job(&world, "publish_upload").await;
    assert_eq!(
        (&published["queue"], &published["state"]),
        (&json!("publish"), &json!("done"))
    );
    let one = world
        .operator
        .get(&format!("/admin/jobs/{}", id_of(&published)))
        .await
        .data();
    assert_eq!(one["history"], json!([]));
    assert_eq!(one["subject"], published["subject"]);
}

/// Returns once the worker has beaten twice more: what operators wrote before has reached it.
async fn two_heartbeats(world: &World) {
    for _ in 0..2 {
        let beat = "select (extract(epoch from max(alive_until)) * 1e6)::bigint from workers";
        let before = world.count(beat).await;
        eventually("a heartbeat", || async {
            (world.count(beat).await > before).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_starts_nothing_until_it_is_resumed() {
    let world = World::start().await;
    let reason = json!({ "reason": "maintenance" });
    let paused = world
        .operator
        .post("/admin/queues/validate/pause", &reason)
        .await;
    assert_eq!(paused.status, 200, "{}", paused.text);
    two_heartbeats(&world).await;
    let id = accepted(&world, 113).await;
    two_heartbeats(&world).await;
    let waiting = job(&world, "validate_upload").await;
    assert_eq!(
        (&waiting["state"], &waiting["fence"]),
        (&json!("ready"), &json!(0))
    );
    assert_eq!(world.seller.status(&id).await.data()["status"], "pending");
    let queues = world.operator.get("/admin/queues").await.data();
    let queues = queues["queues"].as_array().unwrap();
    let validate = queues
        .iter()
        .find(|queue| queue["queue"] == "validate")
        .unwrap();
    assert_eq!(validate["paused"], true);
    assert_eq!(validate["pauseReason"], "maintenance");
    assert_eq!(validate["due"], 1);

    let resumed = world
        .operator
        .post("/admin/queues/validate/resume", &json!({}))
        .await;
    assert_eq!(resumed.status, 200, "{}", resumed.text);
    assert_eq!(world.seller.ended(&id).await["status"], "completed");
    let unknown = world
        .operator
        .post("/admin/queues/mail/resume", &json!({}))
        .await;
    assert_eq!(unknown.fault(), (404, "NOT_FOUND".to_owned()));
}

/// The upload has failed for the operator's reason, and its job cannot be cancelled again.
async fn assert_cancelled(world: &World, upload_id: &str, job_id: &str) {
    let ended = world.seller.ended(upload_id).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert_eq!(ended["errorCode"], "CANCELLED");
    assert_eq!(ended["error"], "reported as stolen");
    let detail = world
        .operator
        .get(&format!("/admin/jobs/{job_id}"))
        .await
        .data();
    assert_eq!(detail["state"], "cancelled", "{detail}");
    assert_eq!(detail["history"][0]["reason"], "reported as stolen");
    let again = cancel(world, job_id).await;
    assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
}

async fn cancel(world: &World, job_id: &str) -> tests::Answer {
    let reason = json!({ "reason": "reported as stolen" });
    let path = format!("/admin/jobs/{job_id}/cancel");
    world.operator.post(&path, &reason).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_is_cancelled_and_its_upload_fails_with_the_reason() {
    let world = World::without_worker().await;
    let id = accepted(&world, 114).await;
    let waiting = job(&world, "validate_upload").await;
    let answer = cancel(&world, id_of(&waiting)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_cancelled(&world, &id, id_of(&waiting)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_cancelled_and_its_upload_fails_with_the_reason() {
    let mut world = World::without_worker().await;
    let id = accepted(&world, 115).await;
    // The worker hangs in its first read of the store.
    world.s3.faults().set_delay(Duration::from_secs(600));
    world.start_worker().await;
    let running = eventually("a running job", || async {
        let job = job(&world, "validate_upload").await;
        (job["state"] == "running").then_some(job)
    })
    .await;
    let answer = cancel(&world, id_of(&running)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_cancelled(&world, &id, id_of(&running)).await;
}

/// Makes the staged bytes others than the upload's, so that its validation cannot succeed. Answers
/// the key and the bytes that were there.
async fn spoil(world: &World) -> (String, Vec<u8>) {
    let upload: UploadId = sqlx::query_scalar("select id from uploads")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let key = staging_key(upload, Blob::Package, 0);
    let good = world.object(&key).await;
    write(world, &key, vec![0; good.len()]).await;
    (key, good)
}

async fn write(world: &World, key: &str, bytes: Vec<u8>) {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(&bytes);
    world.storage.put(key, bytes.into(), &digest).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_job_is_replayed_and_its_upload_completes_after_all() {
    let mut world = World::without_worker().await;
    let id = accepted(&world, 116).await;
    let (key, good) = spoil(&world).await;
    // One attempt is left, so that the test need not wait for the backoff of the others.
    sqlx::query("update jobs set attempts = 4")
        .execute(&world.pool)
        .await
        .unwrap();
    world.start_worker().await;
    let ended = world.seller.ended(&id).await;
    assert_eq!(ended["errorCode"], "INTERNAL_ERROR", "{ended}");
    let quarantined = job(&world, "validate_upload").await;
    assert_eq!(quarantined["state"], "quarantined");

    write(&world, &key, good).await;
    let replayed = world
        .operator
        .post("/admin/jobs/replay", &json!({}))
        .await
        .data();
    assert_eq!(replayed["replayed"], json!([quarantined["id"]]));
    let ended = world.seller.ended(&id).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let retry = format!("/admin/jobs/{}/retry", id_of(&quarantined));
    let done = world.operator.post(&retry, &json!({})).await;
    assert_eq!(done.fault(), (409, "CONFLICT".to_owned()));
}
