//! How jobs end that do not succeed: bounded, visible, alone, and never by a fault of ours.

use common::jobs::{JobName, JobState, list_payloads};
use common::pipeline;
use common::storage::{Blob, content_key, staging_key};
use common::uploads::UploadStatus;
use tests::ground::Ground;
use tests::sample::{Expected, Sample};
use uuid::Uuid;

#[tokio::test]
async fn a_retry_stops_at_its_limit_and_is_quarantined_until_an_operator_retries_it() {
    let ground = Ground::shared().await;
    let sample = Sample::new(1, Expected::Accepted);
    let upload = ground.upload(&sample).await;
    let key = staging_key(upload, Blob::Package, 0);
    ground.storage.delete(&key).await.unwrap();
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    let job = ground
        .job_hurries_to(JobName::ValidateUpload, |job| {
            job.state == JobState::Quarantined
        })
        .await;
    assert_eq!(job.fence, JobName::ValidateUpload.spec().attempts_max);
    let history = ground.history(job.id).await.history;
    let outcomes: Vec<&str> = history.iter().map(|fault| fault.outcome.as_str()).collect();
    assert_eq!(outcomes, ["retry", "retry", "retry", "retry", "quarantine"]);
    assert!(job.reason.unwrap().contains("no object"));
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Failed
    );

    let digest = ground.find_upload(upload).await.blob(Blob::Package).sha256;
    ground
        .storage
        .put(&key, sample.package.into(), &digest)
        .await
        .unwrap();
    pipeline::retry(&ground.outbox, job.id).await.unwrap();
    ground
        .becomes("select count(*) = 1 from uploads where status = 'completed'")
        .await;
}

#[tokio::test]
async fn a_quarantined_publication_goes_on_where_it_stopped() {
    let ground = Ground::shared().await;
    let sample = Sample::new(1, Expected::Accepted);
    let upload = ground.upload(&sample).await;
    let digest = ground.find_upload(upload).await.blob(Blob::Package).sha256;
    let key = staging_key(upload, Blob::Package, 0);
    let validate = common::jobs::QueueSpec::find("validate").unwrap();
    ground
        .worker_of(&[validate])
        .await
        .drain_after(&ground)
        .await;
    ground.storage.delete(&key).await.unwrap();
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    let job = ground
        .job_hurries_to(JobName::PublishUpload, |job| {
            job.state == JobState::Quarantined
        })
        .await;
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Failed
    );

    ground
        .storage
        .put(&key, sample.package.into(), &digest)
        .await
        .unwrap();
    pipeline::retry(&ground.outbox, job.id).await.unwrap();
    ground
        .becomes("select count(*) = 1 from uploads where status = 'completed'")
        .await;
    ground.storage.head(&content_key(&digest)).await.unwrap();
}

trait DrainAfter {
    async fn drain_after(self, ground: &Ground);
}

impl DrainAfter for worker::Worker {
    /// Lets the worker validate, and no more.
    async fn drain_after(self, ground: &Ground) {
        ground
            .job_becomes(JobName::ValidateUpload, |job| job.state == JobState::Done)
            .await;
        self.drain().await;
    }
}

#[tokio::test]
async fn a_fault_of_ours_burns_no_attempt() {
    let ground = Ground::shared().await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground.s3.faults().set_error_rate(1.0);
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    let job = ground
        .job_hurries_to(JobName::ValidateUpload, |job| job.snoozes >= 6)
        .await;
    assert_eq!((job.attempts, job.crashes), (0, 0));
    ground.s3.faults().clear();
    ground.webhook_is_delivered().await;
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Completed
    );
    assert_eq!(ground.job(JobName::ValidateUpload).await.attempts, 0);
}

#[tokio::test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the overflow that panics wraps in this build"
)]
async fn a_panic_is_a_failed_attempt_and_ends_no_worker() {
    let ground = Ground::shared().await;
    let names = ["validate", "publish"].map(|name| common::jobs::QueueSpec::find(name).unwrap());
    let first = ground.worker_of(&names).await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground
        .job_becomes(JobName::DeliverWebhook, |job| job.state == JobState::Ready)
        .await;
    first.drain().await;
    // No code writes such a row; counting one more attempt overflows.
    ground
        .run("update webhook_deliveries set attempts = 2147483647")
        .await;
    let worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    let job = ground
        .job_hurries_to(JobName::DeliverWebhook, |job| job.attempts >= 2)
        .await;
    let history = ground.history(job.id).await.history;
    assert_eq!(history[0].outcome, "panic");
    assert!(
        history[0].reason.contains("overflow"),
        "{}",
        history[0].reason
    );
    ground
        .run("update webhook_deliveries set attempts = 0")
        .await;
    ground.webhook_is_delivered().await;
    worker.drain().await;
}

#[tokio::test]
async fn an_unknown_job_is_quarantined_alone() {
    let ground = Ground::shared().await;
    ground
        .run(
            "insert into jobs (id, name, queue, lane, subject, trace)
             values (gen_random_uuid(), 'bake_cake', 'validate', 'fast', gen_random_uuid(), 'req_test')",
        )
        .await;
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground.becomes("select count(*) = 1 from jobs where name = 'bake_cake' and state = 'quarantined' and reason like '%bake_cake%'").await;
    ground.webhook_is_delivered().await;
}

#[tokio::test]
async fn an_undecodable_payload_is_kept_with_its_bytes() {
    let ground = Ground::shared().await;
    let (stem, id) = (
        format!("{}:validate", ground.prefix),
        format!("{}.0", Uuid::now_v7()),
    );
    let bytes = b"\xff\x00 no wake-up call";
    let mut redis = ground
        .redis
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::pipe()
        .cmd("HSET")
        .arg(format!("{stem}:data"))
        .arg(&id)
        .arg(bytes)
        .cmd("HSET")
        .arg(format!("{stem}:meta:{id}"))
        .arg(&["attempts", "0", "max_attempts", "1", "status", "Pending"])
        .cmd("RPUSH")
        .arg(format!("{stem}:active"))
        .arg(&id)
        .exec_async(&mut redis)
        .await
        .unwrap();
    let _worker = ground.worker().await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground.webhook_is_delivered().await;
    ground
        .becomes("select count(*) = 1 from quarantined_payloads")
        .await;
    let kept: Vec<u8> = sqlx::query_scalar("select bytes from quarantined_payloads")
        .fetch_one(&ground.pool)
        .await
        .unwrap();
    assert_eq!(kept, bytes);
    let listed = list_payloads(&ground.pool).await.unwrap();
    assert_eq!(
        (listed[0].queue.as_str(), listed[0].task_id.as_str()),
        ("validate", id.as_str())
    );
}
