//! The time in which a scheduler leads: each task of the table runs in a loop of its own, so that none
//! waits for another, and what became of it is written down once a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::analytics;
use common::db::{Error, PgPool};
use common::ledger::audit;
use common::limits::HEARTBEAT;
use common::scheduled_tasks::{self, Declaration, Progress};
use common::telemetry::metrics;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::process::pause;
use crate::sequencer;
use crate::task_loop::TaskLoop;
use crate::tasks::{Context, Task};

/// The longest time for writing down what became of the tasks: a scheduler that stops waits for it.
const EXCHANGE_MAX: Duration = Duration::from_secs(5);

/// How often operators requested each task.
pub type Requests = HashMap<String, i64>;

/// The tasks of a scheduler that leads.
#[derive(Debug)]
pub struct Term {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Term {
    /// Begins to run the tasks, each where the last leader ended.
    pub fn begin(context: Arc<Context>, tasks: &'static [Task]) -> Self {
        let stop = CancellationToken::new();
        let running = tokio::spawn(run_all(context, tasks, stop.clone()));
        Self { stop, running }
    }

    /// Breaks off what runs: each task can be, anywhere. What this process said of them is said no more.
    pub async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.running.await {
            tracing::error!(%error, "The tasks did not end as they should");
        }
        metrics().task_failures_in_a_row.reset();
        audit::retract();
        analytics::retract();
    }
}

async fn run_all(context: Arc<Context>, tasks: &'static [Task], stop: CancellationToken) {
    let pool = context.pool().clone();
    let declared = loop {
        match scheduled_tasks::declare(&pool, &declarations(tasks)).await {
            Ok(declared) => break declared,
            Err(error) => tracing::warn!(%error, "Could not declare the tasks"),
        }
        if !pause(&stop, HEARTBEAT).await {
            return;
        }
    };
    let (requests, requested) = watch::channel(Requests::new());
    let (report, reports) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    for progress in declared {
        let Some(task) = tasks.iter().find(|task| task.name == progress.name) else {
            continue;
        };
        let task_loop = TaskLoop {
            task: *task,
            progress,
            report: report.clone(),
            requested: requested.clone(),
        };
        running.spawn(task_loop.run(Arc::clone(&context), stop.clone()));
    }
    drop(report);
    running.spawn(sequencer::run(context.outbox().clone(), stop.clone()));
    keep_journal(&pool, reports, &requests).await;
    running.join_all().await;
}

fn declarations(tasks: &[Task]) -> Vec<Declaration> {
    let now = Utc::now();
    let declaration = |task: &Task| Declaration {
        name: task.name,
        schedule: task.schedule.to_string(),
        timeout: task.timeout,
        next_run_at: task.schedule.next(now),
    };
    tasks.iter().map(declaration).collect()
}

/// Writes down what the loops report, and tells them what is requested, once a second, until all have ended.
async fn keep_journal(
    pool: &PgPool,
    mut reports: mpsc::UnboundedReceiver<Progress>,
    requests: &watch::Sender<Requests>,
) {
    let mut unwritten: HashMap<String, Progress> = HashMap::new();
    let mut ticks = tokio::time::interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut has_ended = false;
    while !has_ended {
        tokio::select! {
            report = reports.recv() => match report {
                Some(progress) => {
                    unwritten.insert(progress.name.clone(), progress);
                    continue;
                }
                None => has_ended = true,
            },
            _ = ticks.tick() => {}
        }
        let progress: Vec<Progress> = unwritten.values().cloned().collect();
        match tokio::time::timeout(EXCHANGE_MAX, exchange(pool, &progress)).await {
            Ok(Ok(all)) => {
                unwritten.clear();
                requests.send_if_modified(|known| std::mem::replace(known, all.clone()) != all);
            }
            Ok(Err(error)) => tracing::warn!(%error, "Could not write down what the tasks did"),
            Err(_) => tracing::warn!("Could not write down in time what the tasks did"),
        }
    }
}

async fn exchange(pool: &PgPool, progress: &[Progress]) -> Result<Requests, Error> {
    if !progress.is_empty() {
        scheduled_tasks::record(pool, progress).await?;
    }
    scheduled_tasks::list_requests(pool).await
}
