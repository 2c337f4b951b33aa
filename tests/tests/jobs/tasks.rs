//! The scheduler's tasks: each in a loop of its own, remembered from leader to leader.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use common::config::RetentionConfig;
use common::scheduled_tasks::{self, ScheduledTask};
use scheduler::Term;
use scheduler::schedule::Schedule::{self, AtOnceThenEvery, Cron, Every};
use scheduler::sweeps::{SweepError, Swept};
use scheduler::tasks::{Context, Run, Task};
use tests::ground::{DEADLINE, Ground};
use tests::stack::eventually;
use tokio::time::timeout;

const OFTEN: Schedule = Every(Duration::from_millis(5));
const YEARLY: Schedule = Cron("0 0 1 1 *");

const fn task(
    name: &'static str,
    schedule: Schedule,
    run: for<'a> fn(&'a Context) -> Run<'a>,
) -> Task {
    Task {
        name,
        schedule,
        timeout: Duration::from_millis(200),
        run,
    }
}

fn begin(ground: &Ground, tasks: &'static [Task]) -> Term {
    let retention = RetentionConfig {
        body_days: 1,
        attempt_days: 1,
    };
    let (outbox, storage) = (ground.outbox.clone(), ground.storage.clone());
    let presence = ground.presence();
    let context = Context::new(outbox, storage, presence, Duration::ZERO, retention);
    Term::begin(Arc::new(context), tasks)
}

async fn find(ground: &Ground, name: &str) -> ScheduledTask {
    let rows = scheduled_tasks::list(&ground.pool).await.unwrap();
    let mut rows = rows.into_iter();
    rows.find(|row| row.progress.name == name).unwrap()
}

fn succeed(_: &Context) -> Run<'_> {
    Box::pin(async { Ok(Swept::All) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_hangs_fails_or_panics_delays_no_other_and_says_why() {
    static TASKS: [Task; 4] = [
        task("hangs", OFTEN, |_| Box::pin(std::future::pending())),
        task("fails", OFTEN, |_| {
            let away = common::db::Error::PoolTimedOut;
            Box::pin(async { Err(SweepError::Database(away)) })
        }),
        task("panics", OFTEN, |_| {
            Box::pin(async { panic!("as the test wants") })
        }),
        task("succeeds", OFTEN, succeed),
    ];
    let ground = Ground::shared().await;
    let term = begin(&ground, &TASKS);
    ground
        .becomes("select count(*) = 3 from scheduled_tasks where failures_in_a_row >= 2")
        .await;
    ground
        .becomes("select succeeded_at > started_at - interval '1 second' from scheduled_tasks where name = 'succeeds'")
        .await;
    let why = [
        ("hangs", Some("broken off after 200ms")),
        (
            "fails",
            Some("PostgreSQL: pool timed out while waiting for an open connection"),
        ),
        ("panics", Some("it panicked")),
        ("succeeds", None),
    ];
    for (name, error) in why {
        assert_eq!(find(&ground, name).await.progress.error.as_deref(), error);
    }
    term.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_leader_goes_on_where_the_last_ended_and_makes_up_for_missed_runs_once() {
    static RUNS: AtomicI64 = AtomicI64::new(0);
    static TASKS: [Task; 2] = [
        task("yearly", YEARLY, |_| {
            RUNS.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(Swept::All) })
        }),
        task("often", OFTEN, succeed),
    ];
    let ground = Ground::shared().await;
    let often_has_run = "select coalesce(bool_or(finished_at is not null), false) from scheduled_tasks where name = 'often'";
    let first = begin(&ground, &TASKS);
    ground.becomes(often_has_run).await;
    first.end().await;
    let runs = RUNS.load(Ordering::SeqCst);
    assert_eq!(runs, 0, "a new task waits for its schedule");

    ground
        .run("update scheduled_tasks set next_run_at = now() - interval '5 years'")
        .await;
    let second = begin(&ground, &TASKS);
    ground
        .becomes("select next_run_at > now() from scheduled_tasks where name = 'yearly'")
        .await;
    second.end().await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 1, "five missed runs are one");

    ground
        .run("update scheduled_tasks set finished_at = null where name = 'often'")
        .await;
    let third = begin(&ground, &TASKS);
    ground.becomes(often_has_run).await;
    third.end().await;
    assert_eq!(RUNS.load(Ordering::SeqCst), 1, "its time has not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_measures_runs_as_soon_as_a_scheduler_leads() {
    static RUNS: AtomicI64 = AtomicI64::new(0);
    static TASKS: [Task; 1] = [task(
        "measures",
        AtOnceThenEvery(Duration::from_secs(3600)),
        |_| {
            RUNS.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(Swept::All) })
        },
    )];
    let ground = Ground::shared().await;
    for term in 1..=2 {
        let leader = begin(&ground, &TASKS);
        ground
            .becomes(
                "select coalesce(bool_and(finished_at is not null), false) from scheduled_tasks",
            )
            .await;
        leader.end().await;
        assert_eq!(RUNS.load(Ordering::SeqCst), term);
        ground
            .run("update scheduled_tasks set finished_at = null")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_runs_a_task_beside_its_schedule() {
    static RUNS: AtomicI64 = AtomicI64::new(0);
    static TASKS: [Task; 1] = [task("yearly", YEARLY, |_| {
        RUNS.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Swept::All) })
    })];
    let ground = Ground::shared().await;
    let term = begin(&ground, &TASKS);
    ground
        .becomes("select count(*) = 1 from scheduled_tasks")
        .await;
    for expected in 1..=2 {
        let request = scheduled_tasks::request(&ground.pool, "yearly").await;
        let request = request.unwrap().unwrap();
        let served = || async {
            let task = find(&ground, "yearly").await;
            (task.progress.requests_served >= request).then_some(task)
        };
        let task = timeout(DEADLINE, eventually(served)).await.unwrap();
        assert_eq!(task.progress.error, None);
        assert_eq!(RUNS.load(Ordering::SeqCst), expected);
    }
    term.end().await;
    let unknown = scheduled_tasks::request(&ground.pool, "daily").await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_the_table_lacks_is_listed_no_more() {
    static BEFORE: [Task; 2] = [task("kept", OFTEN, succeed), task("gone", OFTEN, succeed)];
    static AFTER: [Task; 1] = [task("kept", YEARLY, succeed)];
    let ground = Ground::shared().await;
    let first = begin(&ground, &BEFORE);
    ground
        .becomes("select count(*) = 2 from scheduled_tasks where finished_at is not null")
        .await;
    first.end().await;
    let second = begin(&ground, &AFTER);
    ground
        .becomes("select count(*) = 1 from scheduled_tasks")
        .await;
    let kept = find(&ground, "kept").await;
    assert_eq!(kept.schedule, "0 0 1 1 *");
    second.end().await;
}
