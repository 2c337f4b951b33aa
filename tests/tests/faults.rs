//! Faults of every part, under load, through the public API: what was lost, and what was doubled?
//!
//! A real stack of processes takes uploads while its parts are killed, emptied, restarted and
//! slowed. Every upload that was answered 202 must reach its right end exactly once.
//! `AWARENESS_FAULTS_SEED` repeats an order of faults, `AWARENESS_LONG=1` makes it ten times as long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "faults/chaos.rs"]
mod chaos;
#[path = "faults/client.rs"]
mod client;
#[path = "faults/tally.rs"]
mod tally;

use std::fmt::Display;
use std::io::{Write as _, stderr};
use std::time::{Duration, Instant};

use tests::sample::{Expected, Sample};
use tests::stack::{TestStack, eventually};
use tokio::sync::Mutex;
use tokio::time::timeout;

use chaos::Chaos;
use client::Client;
use tally::Tally;

/// Far above what anything takes on a busy machine; whoever reaches it has lost something.
const DEADLINE: Duration = Duration::from_secs(240);
/// A killed worker's jobs are promised within 7 s; the rest is for a busy machine.
const RERUN_MAX: Duration = Duration::from_secs(15);

/// Two stacks at once would measure each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_accepted_upload_is_lost_or_doubled_whatever_fails() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let factor = if tests::is_long() { 10 } else { 1 };
    let uploads = 200 * factor;
    let fault_time = Duration::from_secs(45) * u32::try_from(factor).unwrap();
    let test = TestStack::start().await;
    let client = Client::new(&test.stack);
    let samples = (0..uploads).map(|number| {
        let expected = if number % 4 == 3 {
            Expected::Refused
        } else {
            Expected::Accepted
        };
        Sample::new(number, expected)
    });
    let sending = client.send_over(samples.collect(), fault_time);
    let mut chaos = Chaos::from_environment();
    let (accepted, ()) = tokio::join!(sending, chaos.rage(&test, fault_time));
    assert_eq!(accepted.len() as u64, uploads);
    let tally = timeout(DEADLINE, Tally::of(&test, &client, &accepted)).await;
    let Ok(tally) = tally else {
        panic!(
            "not everything came to its end; left over:\n{}",
            tally::left_over(&test).await
        );
    };
    say(format_args!("{chaos}\n{tally}"));
    tally.assert_nothing_is_lost_or_doubled();
    tally.assert_events_explain_the_rows(&test).await;
    let agreeing = tally.assert_analytics_agree(&test);
    timeout(DEADLINE, agreeing).await.unwrap();
    tally::assert_the_store_is_clean(&test).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_workers_jobs_run_again_within_seven_seconds() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    let client = Client::new(&test.stack);
    let upload = client.send(&Sample::new(1, Expected::Accepted)).await;
    // The run that is to be cut hangs in the store meanwhile.
    test.stack.s3.faults().set_delay(Duration::from_secs(2));
    let again = client.send(&Sample::new(2, Expected::Accepted)).await;
    let fence = timeout(DEADLINE, eventually(|| running_fence(&test)))
        .await
        .unwrap();
    let killed = Instant::now();
    assert!(test.signal("worker", "KILL"));
    let rerun = eventually(|| async { running_fence(&test).await.filter(|next| *next > fence) });
    timeout(DEADLINE, rerun).await.unwrap();
    let took = killed.elapsed();
    test.stack.s3.faults().clear();
    say(format_args!(
        "a killed worker's job ran again after {:.2} s",
        took.as_secs_f64()
    ));
    assert!(took <= RERUN_MAX, "it took {took:?}");
    for upload in [upload, again] {
        assert_eq!(
            timeout(DEADLINE, client.end_of(&upload)).await.unwrap()["status"],
            "completed"
        );
    }
    test.stop().await;
}

/// Says it in the log of a run that passes too: the harness keeps back only what is printed.
fn say(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// The fence of the job that runs and was leased most often.
async fn running_fence(test: &TestStack) -> Option<i32> {
    sqlx::query_scalar(
        "select max(fence) from jobs where state = 'running' and name = 'validate_upload'",
    )
    .fetch_one(&test.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losing_every_key_in_redis_needs_no_restart() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    let client = Client::new(&test.stack);
    let pids = || ["api", "worker", "scheduler"].map(|name| test.pid(name));
    let before = pids();
    for number in 0..10 {
        test.redis("FLUSHALL").await.unwrap();
        let upload = client.send(&Sample::new(number, Expected::Accepted)).await;
        test.redis("FLUSHALL").await.unwrap();
        let flushed = Instant::now();
        let end = timeout(DEADLINE, client.end_of(&upload)).await.unwrap();
        assert_eq!(end["status"], "completed");
        say(format_args!(
            "completed {:.2} s after FLUSHALL",
            flushed.elapsed().as_secs_f64()
        ));
    }
    assert_eq!(pids(), before);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_loses_no_bytes() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    let client = Client::new(&test.stack);
    // From now on commits happen, and wait for a standby that never comes before they are answered.
    test.run("alter system set synchronous_standby_names = 'nobody'")
        .await;
    test.run("select pg_reload_conf()").await;
    let probe = "insert into queue_controls (queue, paused, reason) values ('probe', false, '')
                 on conflict (queue) do update set changed_at = now()";
    let waits = || async {
        timeout(Duration::from_secs(1), test.run(probe))
            .await
            .is_err()
            .then_some(())
    };
    timeout(DEADLINE, eventually(waits)).await.unwrap();
    test.run(CUT_THE_WAITING).await;
    let cut = async {
        let is_cut = || async { (test.run(CUT_THE_WAITING).await > 0).then_some(()) };
        timeout(DEADLINE, eventually(is_cut)).await.unwrap();
        test.run("alter system reset synchronous_standby_names")
            .await;
        test.run("select pg_reload_conf()").await;
    };
    let sample = Sample::new(1, Expected::Accepted);
    let (upload, ()) = tokio::join!(client.send(&sample), cut);
    assert!(
        client.statuses().contains("503: 1"),
        "{}",
        client.statuses()
    );
    let end = timeout(DEADLINE, client.end_of(&upload)).await.unwrap();
    assert_eq!(end["status"], "completed", "{end}");
    test.stop().await;
}

/// Ends the connections whose commit has happened and was not answered.
const CUT_THE_WAITING: &str =
    "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
