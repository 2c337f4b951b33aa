//! From the transaction that makes a job necessary to the call that wakes a worker.

use std::sync::Arc;
use std::time::Duration;

use common::ids::{UserId, WorkerId};
use common::jobs::{Cost, JobName, JobState, Leaser, NewJob};
use common::limits::{JOB_COST_MIN, TENANT_FAST_COST_MAX};
use common::queue::Wake;
use scheduler::sweeps::DueSweep;
use tests::ground::{DEADLINE, Ground, Postgres};
use tests::redis::RedisServer;
use tests::sample::{Expected, Sample};
use tests::stack::eventually;
use tokio::time::timeout;
use uuid::Uuid;

/// Uploads of a few KiB that a tenant may have in the fast lane.
const FAST_JOBS: i64 = (TENANT_FAST_COST_MAX.as_millis() / JOB_COST_MIN.as_millis()) as i64;

fn new_job(tenant: Option<UserId>, delay: Duration) -> NewJob {
    NewJob {
        name: JobName::ValidateUpload,
        subject: Uuid::now_v7(),
        tenant,
        cost: Cost::ROWS,
        trace: "req_test".to_owned(),
        delay,
    }
}

/// Waits until that many calls of the queue `validate` wait in Redis.
async fn waiting_becomes(ground: &Ground, expected: usize) {
    let look = || async {
        let depth = ground.queue.depth("validate").await.ok()?;
        (depth.waiting == expected).then_some(())
    };
    timeout(DEADLINE, eventually(look)).await.unwrap();
}

#[tokio::test]
async fn a_job_exists_only_if_its_transaction_commits() {
    let ground = Ground::shared().await;
    let mut tx = ground.outbox.begin().await.unwrap();
    tx.enqueue(&new_job(None, Duration::ZERO)).await.unwrap();
    drop(tx);
    let mut tx = ground.outbox.begin().await.unwrap();
    tx.enqueue(&new_job(None, Duration::ZERO)).await.unwrap();
    tx.commit().await.unwrap();
    waiting_becomes(&ground, 1).await;
    let job = ground.job(JobName::ValidateUpload).await;
    assert_eq!((job.state, job.fence), (JobState::Ready, 0));
}

#[tokio::test]
async fn a_job_is_pushed_at_once_after_the_commit() {
    let ground = Ground::shared().await;
    // No scheduler runs: only the process that committed can have pushed it.
    let _worker = ground.worker().await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    ground.webhook_is_delivered().await;
}

#[tokio::test]
async fn a_job_of_the_future_waits_for_its_time() {
    let ground = Ground::shared().await;
    let mut tx = ground.outbox.begin().await.unwrap();
    tx.enqueue(&new_job(None, Duration::from_secs(3600)))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    DueSweep::default().step(&ground.outbox).await.unwrap();
    assert_eq!(ground.queue.depth("validate").await.unwrap().waiting, 0);
    ground
        .run("update jobs set run_at = now() - interval '1 hour'")
        .await;
    DueSweep::default().step(&ground.outbox).await.unwrap();
    assert_eq!(ground.queue.depth("validate").await.unwrap().waiting, 1);
}

#[tokio::test]
async fn a_lost_push_is_found_by_the_sweep() {
    let ground = Ground::on(Postgres::shared().await, Arc::new(RedisServer::start())).await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    waiting_becomes(&ground, 1).await;
    let mut redis = ground
        .redis
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    assert_eq!(ground.queue.depth("validate").await.unwrap().waiting, 0);
    let _scheduler = ground.scheduler().await;
    waiting_becomes(&ground, 1).await;
}

#[tokio::test]
async fn a_stale_wake_up_call_leases_nothing() {
    let ground = Ground::shared().await;
    ground.upload(&Sample::new(1, Expected::Accepted)).await;
    let leaser = Leaser::start(ground.pool.clone(), WorkerId::new());
    let job = ground.job(JobName::ValidateUpload).await.id;
    let wake = |job, fence| Wake {
        job,
        fence,
        trace: None,
    };
    for stale in [wake(job.0, 1), wake(job.0, -1), wake(Uuid::now_v7(), 0)] {
        assert!(leaser.lease(stale).await.unwrap().is_none());
    }
    ground
        .run("update jobs set run_at = now() + interval '1 hour'")
        .await;
    assert!(
        leaser.lease(wake(job.0, 0)).await.unwrap().is_none(),
        "it is not due"
    );
    ground.run("update jobs set run_at = now()").await;
    assert_eq!(
        leaser.lease(wake(job.0, 0)).await.unwrap().unwrap().fence,
        1
    );
    for fence in [0, 1] {
        assert!(
            leaser.lease(wake(job.0, fence)).await.unwrap().is_none(),
            "it runs"
        );
    }
    ground
        .run("update jobs set state = 'done', worker = null, finished_at = now()")
        .await;
    for fence in [0, 1] {
        assert!(
            leaser.lease(wake(job.0, fence)).await.unwrap().is_none(),
            "it is done"
        );
    }
}

#[tokio::test]
async fn a_tenant_with_much_work_takes_the_bulk_lane_and_is_overtaken() {
    let ground = Ground::shared().await;
    let other = ground.user("a quiet one").await;
    for number in 0..60 {
        ground.upload(&Sample::new(number, Expected::Refused)).await;
    }
    let last = ground
        .upload_of(&other, &Sample::new(60, Expected::Refused))
        .await;
    let lanes = "select count(*) from jobs where lane = 'bulk'";
    assert_eq!(ground.count(lanes).await, 60 - FAST_JOBS);
    let _worker = ground.worker().await;
    ground
        .becomes("select count(*) = 61 from jobs where name = 'validate_upload' and state = 'done'")
        .await;
    let overtaken: i64 = sqlx::query_scalar(
        "select count(*) from jobs
         where lane = 'bulk'
           and name = 'validate_upload'
           and started_at > (select started_at from jobs where subject = $1 and name = 'validate_upload')",
    )
    .bind(last)
    .fetch_one(&ground.pool)
    .await
    .unwrap();
    assert!(
        overtaken > 0,
        "the last upload of all started after 44 bulk jobs"
    );
}

#[tokio::test]
async fn finished_jobs_leave_nothing_in_redis() {
    let ground = Ground::on(Postgres::shared().await, Arc::new(RedisServer::start())).await;
    let worker = ground.worker().await;
    let _scheduler = ground.scheduler().await;
    for number in 0..5 {
        ground
            .upload(&Sample::new(number, Expected::Accepted))
            .await;
    }
    ground
        .becomes("select count(*) = 11 and bool_and(state in ('done', 'idle')) from jobs")
        .await;
    worker.drain().await;
    let mut redis = ground
        .redis
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    // What names workers, agents or the state of the market is no trace of a job.
    let is_of_jobs = |key: &String| {
        key.starts_with(&ground.prefix)
            && !key.contains(":epoch:")
            && !key.contains(":agents:")
            && !key.ends_with(":beats")
            && !key.contains(":workers")
    };
    let mut left = Vec::new();
    let swept = async {
        loop {
            let keys: Vec<String> = redis::cmd("KEYS")
                .arg("*")
                .query_async(&mut redis)
                .await
                .unwrap();
            left = keys.into_iter().filter(is_of_jobs).collect();
            if left.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let swept = timeout(DEADLINE, swept).await;
    assert!(
        swept.is_ok(),
        "keys of finished jobs stay in Redis: {left:?}"
    );
}
