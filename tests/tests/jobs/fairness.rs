//! Tenants share the workers by what their work costs, however much of it they send.

use std::collections::HashSet;
use std::time::Duration;

use common::ids::{JobId, UserId, WorkerId};
use common::jobs::{self, Cost, JobName, Lease, Leaser, NewJob, QueueSpec};
use common::limits::{JOB_COST_MIN, PACKAGE_BYTES_MAX};
use tests::ground::Ground;
use tests::random::Random;
use tests::sample::{Expected, Sample};
use uuid::Uuid;

const QUEUE: &str = "validate";
const MEBIBYTE: u64 = 1024 * 1024;

/// Writes the validation of a package of that size and answers its subject.
async fn send(ground: &Ground, tenant: UserId, size_bytes: u64) -> Uuid {
    send_for(ground, Uuid::now_v7(), tenant, size_bytes).await
}

async fn send_for(ground: &Ground, subject: Uuid, tenant: UserId, size_bytes: u64) -> Uuid {
    let mut tx = ground.outbox.begin().await.unwrap();
    tx.enqueue(&NewJob {
        name: JobName::ValidateUpload,
        subject,
        tenant: Some(tenant),
        cost: Cost::of_judging(size_bytes),
        trace: "req_test".to_owned(),
        delay: Duration::ZERO,
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    subject
}

async fn lane_of(ground: &Ground, subject: Uuid) -> String {
    sqlx::query_scalar("select lane from jobs where subject = $1")
        .bind(subject)
        .fetch_one(&ground.pool)
        .await
        .unwrap()
}

async fn next(leaser: &Leaser) -> Option<Lease> {
    leaser.lease_next(QUEUE).await.unwrap()
}

#[tokio::test]
async fn a_tenant_with_much_cost_waiting_does_not_stand_before_a_quiet_one() {
    let ground = Ground::shared().await;
    let (greedy, quiet) = (UserId::new(), UserId::new());
    let mut flood = Vec::new();
    for _ in 0..10 {
        flood.push(send(&ground, greedy, PACKAGE_BYTES_MAX).await);
    }
    let large = send(&ground, quiet, PACKAGE_BYTES_MAX).await;
    let small = send(&ground, UserId::new(), 10_000).await;
    let after = send(&ground, greedy, 10_000).await;
    for heavy in flood.iter().chain([&large]) {
        assert_eq!(lane_of(&ground, *heavy).await, "bulk");
    }
    assert_eq!(lane_of(&ground, small).await, "fast", "nothing of it waits");
    assert_eq!(lane_of(&ground, after).await, "bulk", "its cost is counted");
    let leaser = Leaser::start(ground.pool.clone(), WorkerId::new());
    let mut order = Vec::new();
    while let Some(lease) = next(&leaser).await {
        order.push(lease.subject);
    }
    let place = order.iter().position(|subject| *subject == large);
    // After the one that was foremost, and one that costs the same.
    assert!(place.unwrap() <= 2, "the eleventh came as {place:?}");
    order.retain(|subject| *subject != large);
    flood.push(after);
    assert_eq!(order, flood, "one tenant's own are run as they came");
}

#[tokio::test]
async fn tenants_that_wait_together_get_the_same_within_two_jobs() {
    for seed in 1..=3 {
        let ground = Ground::shared().await;
        let mut random = Random::new(seed);
        let leaser = Leaser::start(ground.pool.clone(), WorkerId::new());
        let tenants: Vec<UserId> = (0..3).map(|_| UserId::new()).collect();
        // The first has been alone for a while, the others come one by one.
        let mut served = [0_i64; 3];
        let mut costs_max = 0_i64;
        for (place, tenant) in tenants.iter().enumerate() {
            for _ in 0..(30 - 5 * place) {
                let size_bytes = MEBIBYTE * (2 + random.below(10));
                costs_max = costs_max.max(Cost::of_judging(size_bytes).as_ms().into());
                send(&ground, *tenant, size_bytes).await;
            }
            served = [0; 3];
            for _ in 0..8 {
                let lease = next(&leaser).await.unwrap();
                count(&ground, &tenants, &lease, &mut served).await;
                let of_waiting = &served[..=place];
                let spread = of_waiting.iter().max().unwrap() - of_waiting.iter().min().unwrap();
                assert!(spread <= 2 * costs_max, "seed {seed}: {served:?}");
            }
        }
        assert!(
            served.iter().all(|cost| *cost > 0),
            "seed {seed}: {served:?}"
        );
    }
}

async fn count(ground: &Ground, tenants: &[UserId], lease: &Lease, served: &mut [i64; 3]) {
    let cost: i32 = sqlx::query_scalar("select cost_ms from jobs where id = $1")
        .bind(lease.job)
        .fetch_one(&ground.pool)
        .await
        .unwrap();
    let place = tenants.iter().position(|it| Some(*it) == lease.tenant);
    served[place.unwrap()] += i64::from(cost);
}

#[tokio::test]
async fn calls_of_the_bulk_lane_lease_each_due_job_once() {
    let ground = Ground::shared().await;
    let tenant = UserId::new();
    for _ in 0..5 {
        send(&ground, tenant, PACKAGE_BYTES_MAX).await;
    }
    let later = send(&ground, tenant, PACKAGE_BYTES_MAX).await;
    sqlx::query("update jobs set run_at = now() + interval '1 hour' where subject = $1")
        .bind(later)
        .execute(&ground.pool)
        .await
        .unwrap();
    let leasers = [(); 2].map(|()| Leaser::start(ground.pool.clone(), WorkerId::new()));
    jobs::pause_queue(&ground.pool, QUEUE, "test")
        .await
        .unwrap();
    assert!(next(&leasers[0]).await.is_none(), "the queue is paused");
    jobs::resume_queue(&ground.pool, QUEUE).await.unwrap();
    let calls = (0..16).map(|number| next(&leasers[number % 2]));
    let leased: Vec<Lease> = futures::future::join_all(calls)
        .await
        .into_iter()
        .flatten()
        .collect();
    let jobs: HashSet<JobId> = leased.iter().map(|lease| lease.job).collect();
    assert_eq!((leased.len(), jobs.len()), (5, 5));
    assert!(leased.iter().all(|lease| lease.subject != later));
}

#[tokio::test]
async fn heavy_jobs_never_hold_every_slot() {
    let ground = Ground::shared().await;
    let quiet = ground.user("a quiet one").await;
    let mut uploads = Vec::new();
    for number in 0..6 {
        let sample = Sample::new(number, Expected::Accepted);
        uploads.push(ground.upload(&sample).await);
    }
    // As if they were large, and their validation took for ever: it waits for its row.
    ground.run("delete from jobs").await;
    for upload in uploads {
        send_for(&ground, upload.0, ground.seller.user, PACKAGE_BYTES_MAX).await;
    }
    let mut holding = common::db::begin(&ground.pool).await.unwrap();
    sqlx::query("select from uploads for update")
        .execute(&mut *holding)
        .await
        .unwrap();
    let _worker = ground.worker().await;
    let spec = QueueSpec::find(QUEUE).unwrap();
    let running =
        "select count(*) = 2 from jobs where name = 'validate_upload' and state = 'running'";
    assert_eq!(spec.concurrency, 2);
    ground.becomes(running).await;
    let small = ground
        .upload_of(&quiet, &Sample::new(9, Expected::Accepted))
        .await;
    assert_eq!(lane_of(&ground, small.0).await, "fast");
    let look = || async {
        let state: String = sqlx::query_scalar(
            "select state from jobs where subject = $1 and name = 'validate_upload'",
        )
        .bind(small.0)
        .fetch_one(&ground.pool)
        .await
        .ok()?;
        (state == "done").then_some(())
    };
    tests::stack::eventually(look).await;
    let begun = "select count(*) from jobs where lane = 'bulk' and fence > 0";
    assert_eq!(ground.count(begun).await, 2, "the rest still waits");
    holding.rollback().await.unwrap();
}

#[tokio::test]
async fn what_a_tenant_has_outstanding_is_counted_by_cost() {
    let ground = Ground::shared().await;
    let tenant = UserId::new();
    // Each is light, and four of them are more than a second.
    let size_bytes = common::limits::LIGHT_PACKAGE_BYTES_MAX;
    assert!(Cost::of_judging(size_bytes).is_light());
    let mut lanes = Vec::new();
    for _ in 0..6 {
        let subject = send(&ground, tenant, size_bytes).await;
        lanes.push(lane_of(&ground, subject).await);
    }
    assert_eq!(lanes, ["fast", "fast", "fast", "fast", "bulk", "bulk"]);
    let cheapest = Cost::of_judging(0);
    assert_eq!(cheapest.as_ms(), JOB_COST_MIN.as_millis() as i32);
}
