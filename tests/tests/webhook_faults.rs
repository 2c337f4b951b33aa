//! Webhooks of real processes that are killed, emptied and cut off: what was lost, what was doubled?
//!
//! Events are committed by SQL alone, so nothing but the rows promises them. `AWARENESS_LONG=1` makes
//! the outage of PostgreSQL ten minutes long and the faults ten times as many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::StatusCode;
use local::receiver::Reply;
use tests::random::{Random, seed_from};
use tests::stack::{TestStack, eventually};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const DEADLINE: Duration = Duration::from_secs(240);
const ENDPOINTS: usize = 8;

/// Two stacks at once would measure each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Endpoints of the stack's seller at paths of its receiver.
async fn register(test: &TestStack) {
    for number in 0..ENDPOINTS {
        sqlx::query(
            "insert into webhook_endpoints (id, owner_id, source, url, api_key_id, payload)
             select uuid_v7(), user_id, 'registered', $1, id, 'plain'
             from api_keys
             order by created_at
             limit 1",
        )
        .bind(format!("{}/hooks/{number}", test.stack.receiver.url()))
        .execute(&test.pool)
        .await
        .unwrap();
    }
}

/// Commits that many events; each is promised to every endpoint.
async fn commit(test: &TestStack, count: i64, batch: u64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select announce_webhook_event(gen_random_uuid(), owner, gen_random_uuid(), 'upload.failed', $2 || '.' || number,
                    convert_to('{\"event\":\"upload.failed\",\"uploadId\":\"upload_1\",\"error\":\"x\"}', 'utf8'),
                    'req_test', null, null)
         from generate_series(1, $1) as number,
              (select owner_id as owner from webhook_endpoints limit 1) as seller",
    )
    .bind(count)
    .bind(batch.to_string())
    .execute(&test.pool)
    .await?;
    Ok(())
}

/// Commits through outages: each batch is one transaction, tried until PostgreSQL takes it once.
async fn commit_surely(test: &TestStack, count: i64, batch: u64) {
    eventually(|| async { commit(test, count, batch).await.ok() }).await;
}

async fn count(test: &TestStack, sql: &'static str) -> Option<i64> {
    sqlx::query_scalar(sql).fetch_one(&test.pool).await.ok()
}

async fn all_delivered(test: &TestStack, deliveries: i64) {
    let delivered = "select count(*) from webhook_deliveries where state = 'delivered'";
    let all = eventually(|| async { count(test, delivered).await.filter(|it| *it == deliveries) });
    if timeout(DEADLINE, all).await.is_err() {
        let left: Vec<(String, i64, Option<String>)> = sqlx::query_as(
            "select state, count(*), max(outcome) from webhook_deliveries group by state",
        )
        .fetch_all(&test.pool)
        .await
        .unwrap();
        panic!("not all {deliveries} were delivered: {left:?}");
    }
}

/// What receivers saw: each promised message at each path, and how often it came twice.
fn doubled(test: &TestStack) -> (usize, usize) {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for it in test.stack.receiver.received() {
        *seen.entry((it.path, it.webhook_id.unwrap())).or_default() += 1;
    }
    let requests: usize = seen.values().sum();
    (seen.len(), requests - seen.len())
}

/// Signals a process and its children: PostgreSQL answers nobody while all of it is stopped.
fn signal_family(parent: u32, signal: &str) {
    let mut family = vec![parent.to_string()];
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains(&format!("\nPPid:\t{parent}\n")) {
            family.push(entry.file_name().into_string().unwrap());
        }
    }
    let status = std::process::Command::new("kill")
        .arg(format!("-{signal}"))
        .args(family)
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_whatever_is_killed() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    register(&test).await;
    let seed = seed_from("AWARENESS_FAULTS_SEED");
    println!("AWARENESS_FAULTS_SEED={seed}");
    let mut random = Random::new(seed);
    let rounds = if tests::is_long() { 100 } else { 10 };
    let mut happened: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..rounds {
        commit_surely(&test, 10, round).await;
        let faults = [
            "worker",
            "worker",
            "scheduler",
            "redis",
            "postgres",
            "flush",
        ];
        let fault = faults[usize::try_from(random.below(faults.len() as u64)).unwrap()];
        sleep(Duration::from_millis(random.below(700))).await;
        match fault {
            "flush" => drop(test.redis("FLUSHALL").await),
            "postgres" => drop(test.signal("postgres", "QUIT")),
            name => drop(test.signal(name, "KILL")),
        }
        *happened.entry(fault).or_default() += 1;
    }
    let promised = i64::try_from(rounds * 10).unwrap() * ENDPOINTS as i64;
    all_delivered(&test, promised).await;
    let (messages, doubled) = doubled(&test);
    let lost = usize::try_from(promised).unwrap() - messages;
    println!("{happened:?}: promised {promised}, lost {lost}, sent twice {doubled}");
    assert_eq!(lost, 0);
    // Each kill may repeat what was under way at eight endpoints, sixteen at once.
    let kills = happened.values().sum::<usize>();
    assert!(
        doubled <= kills * ENDPOINTS * 16,
        "{doubled} after {kills} faults"
    );
    let chains = count(&test, "select count(*) from (select delivery_id, attempt from webhook_attempts group by 1, 2 having count(*) > 1) as forked").await;
    assert_eq!(chains, Some(0));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushing_redis_loses_no_retry() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    register(&test).await;
    test.stack.receiver.set_answer(StatusCode::BAD_GATEWAY);
    commit_surely(&test, 2, 0).await;
    let tried = "select count(*) from webhook_deliveries where tries = 1";
    let waiting = eventually(|| async {
        count(&test, tried)
            .await
            .filter(|it| *it == 2 * ENDPOINTS as i64)
    });
    timeout(DEADLINE, waiting).await.unwrap();
    let worker = test.pid("worker");
    test.redis("FLUSHALL").await.unwrap();
    test.stack.receiver.set_answer(StatusCode::OK);
    // Their second try is due within eight seconds, and nobody remembers it but the rows.
    all_delivered(&test, 2 * ENDPOINTS as i64).await;
    assert_eq!(test.pid("worker"), worker, "no restart was needed");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_postgresql_burns_no_try() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    register(&test).await;
    let outage = Duration::from_secs(if tests::is_long() { 600 } else { 12 });
    // The answers arrive while PostgreSQL is away; a stopped process answers nobody.
    let late = Reply::default().after(Duration::from_secs(2));
    for number in 0..ENDPOINTS {
        test.stack
            .receiver
            .set_reply_at(&format!("/hooks/{number}"), late.clone());
    }
    commit_surely(&test, 4, 0).await;
    let first = test
        .stack
        .receiver
        .wait_for(|it| it.number >= ENDPOINTS as u64);
    timeout(DEADLINE, first).await.unwrap();
    let postgres = test.until_up("postgres").await;
    signal_family(postgres, "STOP");
    sleep(outage).await;
    signal_family(postgres, "CONT");
    assert_eq!(test.pid("postgres"), Some(postgres));
    for number in 0..ENDPOINTS {
        test.stack
            .receiver
            .set_reply_at(&format!("/hooks/{number}"), Reply::default());
    }
    all_delivered(&test, 4 * ENDPOINTS as i64).await;
    // Nor does the outage slow what is promised after it.
    commit_surely(&test, 4, 1).await;
    all_delivered(&test, 8 * ENDPOINTS as i64).await;
    let burnt = count(
        &test,
        "select count(*) from webhook_deliveries where tries > 1",
    )
    .await;
    let set_aside = count(
        &test,
        "select count(*) from jobs where state = 'quarantined'",
    )
    .await;
    assert_eq!((burnt, set_aside), (Some(0), Some(0)));
    let (messages, doubled) = doubled(&test);
    println!(
        "outage of {outage:?}: promised {}, sent twice {doubled}",
        8 * ENDPOINTS
    );
    assert_eq!(messages, 8 * ENDPOINTS);
    let ids: BTreeSet<_> = test
        .stack
        .receiver
        .received()
        .into_iter()
        .map(|it| it.webhook_id)
        .collect();
    assert_eq!(ids.len(), 8);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_at_any_step_of_a_send_sends_again_under_one_id() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let test = TestStack::start().await;
    register(&test).await;
    // While it connects and sends, while it waits for the answer, while it records what came.
    let steps = [(0, 0), (1500, 300), (0, 5), (0, 15), (0, 25)];
    for (round, (answer_after_ms, kill_after_ms)) in (0_u64..).zip(steps) {
        for number in 0..ENDPOINTS {
            let reply = Reply::default().after(Duration::from_millis(answer_after_ms));
            test.stack
                .receiver
                .set_reply_at(&format!("/hooks/{number}"), reply);
        }
        let worker = test.until_up("worker").await;
        let before = test.stack.receiver.received().len() as u64;
        commit_surely(&test, 1, round).await;
        let first = test.stack.receiver.wait_for(|it| it.number > before);
        timeout(DEADLINE, first).await.unwrap();
        sleep(Duration::from_millis(kill_after_ms)).await;
        test.signal("worker", "KILL");
        timeout(DEADLINE, test.until_replaced("worker", worker))
            .await
            .unwrap();
        let promised = i64::try_from((round + 1) * ENDPOINTS as u64).unwrap();
        all_delivered(&test, promised).await;
    }
    let (messages, doubled) = doubled(&test);
    println!(
        "killed at {} steps: promised {}, sent twice {doubled}",
        steps.len(),
        steps.len() * ENDPOINTS
    );
    assert_eq!(messages, steps.len() * ENDPOINTS);
    let tries = count(
        &test,
        "select count(*) from webhook_deliveries where tries > 1",
    )
    .await;
    assert_eq!(tries, Some(0), "a kill burns no try");
    test.stop().await;
}
