//! PostgreSQL goes away for longer than any lease, and nothing but time is lost.

use std::sync::Arc;
use std::time::Duration;

use common::jobs::{JobName, JobState};
use common::limits::LEASE;
use common::uploads::UploadStatus;
use tests::ground::{Ground, Postgres};
use tests::redis::RedisServer;
use tests::sample::{Expected, Sample};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_postgresql_is_no_crash_of_workers() {
    let ground = Ground::on(Postgres::start().await, Arc::new(RedisServer::start())).await;
    let upload = ground.upload(&Sample::new(1, Expected::Accepted)).await;
    // The run hangs in the store while PostgreSQL goes away under it.
    ground.s3.faults().set_delay(Duration::from_secs(2));
    let _worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    ground
        .job_becomes(JobName::ValidateUpload, |job| {
            job.state == JobState::Running
        })
        .await;
    let mut server = ground.postgres.server.lock().await;
    server.crash().await;
    tokio::time::sleep(2 * LEASE).await;
    server.resume().await.unwrap();
    ground.s3.faults().clear();
    ground.webhook_is_delivered().await;
    assert_eq!(
        ground.find_upload(upload).await.status,
        UploadStatus::Completed
    );
    for sql in [
        "select count(*) from jobs where crashes > 0",
        "select count(*) from jobs where attempts > 0",
        "select count(*) from job_faults where outcome = 'crash'",
    ] {
        assert_eq!(ground.count(sql).await, 0, "{sql}");
    }
}
