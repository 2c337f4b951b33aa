//! The run: clients and faults at once, rest, judgement, table.

use std::fmt::Display;
use std::io::{Write as _, stderr};
use std::time::{Duration, Instant};

use common::ids::{AgentTaskId, PurchaseId};
use futures::future::join_all;
use serde_json::json;
use tests::random::seed_from;
use tests::stack::eventually;
use tokio::time::timeout;

use super::books::Books;
use super::chaos::{Chaos, resume};
use super::client::Client;
use super::ground::{CLIENTS, Ground, Tally};
use super::hiring::end_tasks;
use super::history::History;
use super::judge::judge;

/// Far above what it takes to come to rest on a busy machine; whoever reaches it has lost something.
const REST_MAX: Duration = Duration::from_secs(240);
/// Log lines that none of the faults explains.
const UNEXPLAINED: [&str; 5] = [
    "panicked",
    "A statement failed",
    "breaks an invariant",
    "Gave a job up",
    "Recording a purchase broke off",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_32_clients_do_and_whatever_fails_the_books_say_what_they_were_told() {
    let (operations, listings) = if tests::is_long() {
        (640, 240)
    } else {
        (70, 42)
    };
    let seed = seed_from("AWARENESS_MODEL_SEED");
    say(format_args!("AWARENESS_MODEL_SEED={seed}"));
    let ground = Ground::start(listings).await;
    let start = Instant::now();
    let clients = (0..CLIENTS).map(|n| Client::new(&ground, n, seed).work(operations));
    let mut chaos = Chaos::new(seed);
    let told = tokio::select! {
        told = join_all(clients) => told,
        () = chaos.rage(&ground) => unreachable!("faults happen without end"),
    };
    let worked = start.elapsed();
    let mut history = History::default();
    told.into_iter().for_each(|told| history.append(told));
    resume(&ground).await;
    let rest = timeout(REST_MAX, eventually(|| is_at_rest(&ground))).await;
    let rested = start.elapsed() - worked;
    let books = eventually(|| async { Books::read(&ground.test.pool).await.ok() }).await;
    history.faults.extend(unexplained(&ground));
    let verdict = judge(&history, &books);
    say(format_args!(
        "{} operations by {CLIENTS} clients in {:.1} s, at rest {:.1} s later\n{}{chaos}{verdict}",
        CLIENTS * operations,
        worked.as_secs_f64(),
        rested.as_secs_f64(),
        table(&ground.tally.lock().unwrap(), &books),
    ));
    assert!(rest.is_ok(), "it never came to rest");
    assert!(verdict.violations.is_empty(), "seed {seed}: see above");
    ground.test.stop().await;
}

/// Says it in the log of a run that passes too: the harness keeps back only what is printed.
fn say(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Nothing waits, runs or is pending any more. PostgreSQL may still be coming up. What waits for a payer who
/// never comes is cancelled by an operator; the time of tasks is over, and disputes about them are ended.
async fn is_at_rest(ground: &Ground) -> Option<()> {
    let waiting: Vec<PurchaseId> = sqlx::query_scalar(
        "select purchases.id
         from purchases
         join payments on purchase_id = purchases.id and called_off_at is null
         where purchases.state = 'awaiting_payment'
           and payments.state = 'requires_action'",
    )
    .fetch_all(&ground.test.pool)
    .await
    .ok()?;
    for purchase in waiting {
        let path = format!("/admin/purchases/{purchase}/cancel");
        ground.send(ground.operator(&path, &json!({}))).await;
    }
    end_all_tasks(ground).await?;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from jobs where state in ('ready', 'running'))
              + (select count(*)
                 from purchases
                 where state in ('awaiting_payment', 'payment_unknown', 'pending'))
              + (select count(*) from agent_tasks where ended_at is null)
              + (select count(*) from payments where finished_at is null)",
    )
    .fetch_one(&ground.test.pool)
    .await
    .ok()?;
    (left == 0).then_some(())
}

/// The time of tasks is over, and disputes about them are ended.
async fn end_all_tasks(ground: &Ground) -> Option<()> {
    end_tasks(ground, 1).await.ok()?;
    let pool = &ground.test.pool;
    // Those of states that have ended too. What is due already keeps its place.
    sqlx::query(
        "update jobs
         set run_at = now()
         where name = 'end_agent_task'
           and state = 'ready'
           and run_at > now()",
    )
    .execute(pool)
    .await
    .ok()?;
    let disputed: Vec<AgentTaskId> =
        sqlx::query_scalar("select id from agent_tasks where state = 'disputed'")
            .fetch_all(pool)
            .await
            .ok()?;
    for task in disputed {
        let path = format!("/admin/agent-tasks/{task}/resolve");
        let decision = json!({ "decision": "refund", "note": "the end of the run" });
        ground.send(ground.operator(&path, &decision)).await;
    }
    Some(())
}

/// Lines in the logs of the services that must not be there.
fn unexplained(ground: &Ground) -> Vec<String> {
    let mut lines = Vec::new();
    for service in ["api", "worker", "scheduler"] {
        let log = ground.test.stack.folder.join("log");
        let text = std::fs::read(log.join(format!("{service}.log"))).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let found = text
            .lines()
            .filter(|line| UNEXPLAINED.iter().any(|words| line.contains(words)));
        lines.extend(found.map(|line| format!("{service}: {line}")));
    }
    lines
}

fn table(tally: &Tally, books: &Books) -> String {
    let mut text = String::new();
    let mut line = |count: u64, what: &str| text += &format!("{count:>7}  {what}\n");
    for (operation, count) in &tally.operations {
        line(*count, operation);
    }
    for (outcome, count) in &tally.outcomes {
        line(*count, &format!("buying was answered: {outcome}"));
    }
    for (status, count) in &tally.statuses {
        line(*count, &format!("requests were answered: {status}"));
    }
    let in_state = |state: &str| {
        let rows = books.purchases.iter();
        rows.filter(|row| row.state.as_str() == state).count() as u64
    };
    line(books.purchases.len() as u64, "purchases");
    for state in ["settled", "disputed", "refunded", "failed"] {
        line(in_state(state), &format!("of them {state}"));
    }
    line(books.payments.len() as u64, "payments by card");
    line(books.disputes.len() as u64, "disputes");
    line(books.payouts.len() as u64, "payouts");
    line(books.chargebacks.len() as u64, "chargebacks");
    line(books.tasks.len() as u64, "tasks between agents");
    let paid = books.tasks.iter().filter(|row| row.paid_minor > Some(0));
    line(paid.count() as u64, "of them paid");
    text
}
