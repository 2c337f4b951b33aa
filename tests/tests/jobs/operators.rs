//! What operators do: pause, resume, stop, migrate.

use common::db;
use common::jobs::{self, JobName, JobState};
use common::uploads::UploadStatus;
use tests::ground::Ground;
use tests::sample::{Expected, Sample};

#[tokio::test]
async fn a_paused_queue_starts_nothing_even_in_a_worker_that_starts_later() {
    let ground = Ground::shared().await;
    jobs::pause_queue(&ground.pool, "publish", "a test")
        .await
        .unwrap();
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    for number in 0..10 {
        ground
            .upload(&Sample::new(number, Expected::Accepted))
            .await;
    }
    ground
        .becomes("select count(*) = 10 from jobs where name = 'publish_upload'")
        .await;
    // Long enough for several sweeps and heartbeats.
    ground.becomes("select max(alive_until) > (select max(created_at) from jobs) + interval '8 seconds' from workers").await;
    assert_eq!(
        ground
            .count("select count(*) from jobs where name = 'publish_upload' and fence > 0")
            .await,
        0
    );
    jobs::resume_queue(&ground.pool, "publish").await.unwrap();
    ground
        .becomes("select count(*) = 10 from webhook_deliveries where state = 'delivered'")
        .await;
}

#[tokio::test]
async fn a_stop_gives_running_jobs_back() {
    let ground = Ground::shared().await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    // The run hangs in the store for longer than a stop waits.
    ground.s3.faults().set_delay(2 * common::limits::DRAIN);
    let worker = ground.worker().await;
    ground
        .job_becomes(JobName::ValidateUpload, |job| {
            job.state == JobState::Running
        })
        .await;
    worker.drain().await;
    let job = ground.job(JobName::ValidateUpload).await;
    assert_eq!((job.state, job.fence), (JobState::Ready, 1));
    assert_eq!((job.attempts, job.snoozes, job.crashes), (0, 0, 0));
    assert_eq!(ground.count("select count(*) from workers").await, 0);
    ground.s3.faults().clear();
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    ground.webhook_is_delivered().await;
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Completed
    );
}

#[tokio::test]
async fn migrations_apply_twice_and_at_once() {
    let ground = Ground::shared().await;
    let (one, other) = tokio::join!(db::migrate(&ground.pool), db::migrate(&ground.pool));
    one.unwrap();
    other.unwrap();
    assert!(db::is_migrated(&ground.pool).await.unwrap());
}

#[tokio::test]
async fn an_endpoints_alarm_is_not_for_cancelling() {
    let ground = Ground::shared().await;
    let _worker = ground.worker().await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground.webhook_is_delivered().await;
    let alarm = ground.job(JobName::DeliverWebhook).await;
    let refused = common::pipeline::cancel(&ground.outbox, alarm.id, "a test").await;
    assert!(refused.is_err());
    assert_eq!(
        ground.job(JobName::DeliverWebhook).await.state,
        JobState::Idle
    );
}
