//! One effect, however often a job runs; and nobody's job is lost with its worker.

use std::time::Duration;

use common::ids::{UploadId, WorkerId};
use common::jobs::{self, JobName, JobState, Lease, LeaseLost, Leaser};
use common::queue::Wake;
use common::uploads::{Refusal, UploadStatus, commands};
use scheduler::sweeps::OrphanSweep;
use tests::ground::{DEADLINE, Ground};
use tests::sample::{Expected, Sample};
use tokio::time::timeout;

/// Leases the only job of that name for a worker that never says that it lives.
async fn lease_by_nobody(ground: &Ground, name: JobName) -> Lease {
    let job = ground.job(name).await;
    let wake = Wake {
        job: job.id.0,
        fence: job.fence,
        trace: None,
    };
    let leaser = Leaser::start(ground.pool.clone(), WorkerId::new());
    leaser
        .lease(wake)
        .await
        .unwrap()
        .expect("a job that is due")
}

async fn publish_one(ground: &Ground) -> UploadId {
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground.webhook_is_delivered().await;
    upload
}

/// Everything that a published upload may leave, once.
async fn assert_published_once(ground: &Ground, upload: UploadId) {
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Completed
    );
    for (sql, expected) in [
        ("select count(*) from packages", 1),
        ("select package_count from users where name = 'seller'", 1),
        (
            "select count(*) from webhook_deliveries where state = 'delivered'",
            1,
        ),
        (
            "select count(*) from events where event_type = 'upload.validated'",
            1,
        ),
        (
            "select count(*) from events where event_type = 'upload.completed'",
            1,
        ),
        ("select count(*) from jobs", 3),
    ] {
        assert_eq!(ground.count(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_job_run_twice_has_one_effect() {
    let ground = Ground::shared().await;
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    let upload = publish_one(&ground).await;
    // As if the commit of the end had been lost with the effects kept, for each of the three jobs.
    let again =
        "update jobs set state = 'ready', finished_at = null, run_at = now(), rests_until = null";
    assert_eq!(ground.run(again).await, 3);
    for (name, end) in [
        (JobName::ValidateUpload, JobState::Done),
        (JobName::PublishUpload, JobState::Done),
        (JobName::DeliverWebhook, JobState::Idle),
    ] {
        ground
            .job_becomes(name, |job| job.state == end && job.fence == 2)
            .await;
    }
    assert_published_once(&ground, upload).await;
    assert_eq!(ground.receiver.received().len(), 1);
}

#[tokio::test]
async fn two_copies_at_once_have_one_effect() {
    for name in [JobName::ValidateUpload, JobName::PublishUpload] {
        let ground = Ground::shared().await;
        let _scheduler = ground.scheduler().await;
        let (_one, _other) = (ground.worker().await, ground.worker().await);
        // Both copies are held up in the store, so that they overlap.
        let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
        ground.s3.faults().set_delay(Duration::from_millis(300));
        ground
            .job_becomes(name, |job| job.state == JobState::Running && job.fence == 1)
            .await;
        // The row is taken from the first copy as from a dead worker, but it still runs.
        assert!(ground.run("update jobs set state = 'ready', worker = null, run_at = now() where state = 'running'").await > 0);
        ground.job_becomes(name, |job| job.fence >= 2).await;
        ground.s3.faults().clear();
        ground.webhook_is_delivered().await;
        assert_published_once(&ground, upload).await;
    }
}

#[tokio::test]
async fn a_delivery_whose_outcome_was_lost_is_repeated_under_one_id() {
    let ground = Ground::shared().await;
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    let upload = publish_one(&ground).await;
    // As if the worker had died after the receiver answered and before it could say so.
    ground.run("truncate webhook_attempts").await;
    ground
        .run("update webhook_deliveries set state = 'pending', attempts = 0, finished_at = null")
        .await;
    ground
        .run("update jobs set state = 'ready', run_at = now() where name = 'deliver_webhook'")
        .await;
    let second = ground.receiver.wait_for(|received| received.number == 2);
    let second = timeout(DEADLINE, second).await.unwrap();
    assert_eq!(second.webhook_id, ground.receiver.received()[0].webhook_id);
    ground.webhook_is_delivered().await;
    assert_published_once(&ground, upload).await;
    assert_eq!(
        ground.count("select count(*) from webhook_attempts").await,
        1
    );
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_finishes_nothing() {
    let ground = Ground::shared().await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    let lost = lease_by_nobody(&ground, JobName::ValidateUpload).await;
    assert_eq!(jobs::reclaim(&ground.pool).await.unwrap().len(), 1);
    let held = lease_by_nobody(&ground, JobName::ValidateUpload).await;
    let row = ground.find_upload(upload).await;
    let (report, pool) = (serde_json::json!({}), &ground.pool);
    let refusal = Refusal {
        code: "TEST".to_owned(),
        message: "no".to_owned(),
    };
    let second = Duration::from_secs(1);
    let refused = Err(LeaseLost);
    assert_eq!(
        commands::accept(&ground.outbox, &lost, &row, &report)
            .await
            .unwrap(),
        refused
    );
    assert_eq!(
        commands::refuse(&ground.outbox, &lost, &row, &report, &refusal)
            .await
            .unwrap(),
        refused
    );
    assert_eq!(
        commands::complete(&ground.outbox, &lost, &row, "http://x")
            .await
            .unwrap(),
        refused
    );
    assert_eq!(
        jobs::retry(pool, &lost, "retry", "late", second)
            .await
            .unwrap(),
        refused
    );
    assert_eq!(
        jobs::snooze(pool, &lost, "late", second).await.unwrap(),
        refused
    );
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(
        jobs::cancel_in_tx(&mut connection, &lost, "late")
            .await
            .unwrap(),
        refused
    );
    assert_eq!(
        jobs::quarantine_in_tx(&mut connection, &lost, "late")
            .await
            .unwrap(),
        refused
    );
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Pending
    );
    assert_eq!(ground.count("select count(*) from packages").await, 0);
    assert_eq!(
        jobs::finish_in_tx(&mut connection, &held).await.unwrap(),
        Ok(())
    );
}

#[tokio::test]
async fn a_dead_workers_jobs_are_taken_back() {
    let ground = Ground::shared().await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    let lease = lease_by_nobody(&ground, JobName::ValidateUpload).await;
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    ground.webhook_is_delivered().await;
    assert_published_once(&ground, upload).await;
    let history = ground.history(lease.job).await;
    assert_eq!((history.job.crashes, history.job.attempts), (1, 0));
    assert_eq!(history.history[0].outcome, "crash");
}

#[tokio::test]
async fn a_lease_that_its_worker_forgot_is_given_back() {
    let ground = Ground::shared().await;
    let publish = jobs::QueueSpec::find("publish").unwrap();
    let living = ground.worker_of(&[publish]).await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    // The lease was written, but its answer was lost on the way to a worker that lives on.
    let lost = "update jobs set state = 'running', fence = 1, started_at = now(), worker = (select id from workers)";
    assert_eq!(ground.run(lost).await, 1);
    let _scheduler = ground.scheduler().await;
    let _worker = ground.worker().await;
    ground.webhook_is_delivered().await;
    assert_published_once(&ground, upload).await;
    assert_eq!(ground.job(JobName::ValidateUpload).await.crashes, 0);
    living.drain().await;
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_quarantined() {
    let ground = Ground::shared().await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    for crashes in 1..=common::limits::CRASHES_MAX {
        lease_by_nobody(&ground, JobName::ValidateUpload).await;
        OrphanSweep::default()
            .reclaim(&ground.outbox)
            .await
            .unwrap();
        let job = ground.job(JobName::ValidateUpload).await;
        assert_eq!((job.state, job.crashes), (JobState::Ready, crashes));
    }
    lease_by_nobody(&ground, JobName::ValidateUpload).await;
    OrphanSweep::default()
        .reclaim(&ground.outbox)
        .await
        .unwrap();
    let job = ground.job(JobName::ValidateUpload).await;
    assert_eq!(job.state, JobState::Quarantined);
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Failed
    );
    assert_eq!(
        ground
            .count("select count(*) from webhook_deliveries where event_type = 'upload.failed'")
            .await,
        1
    );
}
