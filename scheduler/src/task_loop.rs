//! The loop of one task.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use common::scheduled_tasks::Progress;
use common::telemetry::metrics;
use futures::FutureExt as _;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::sweeps::{SweepError, Swept};
use crate::tasks::{Context, Task};
use crate::term::Requests;

/// Why a run failed.
#[derive(Debug, Error)]
enum RunError {
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error("broken off after {0:?}")]
    TimedOut(Duration),
    #[error("it panicked")]
    Panicked,
}

/// A task that runs whenever it is due or requested.
#[derive(Debug)]
pub struct TaskLoop {
    pub task: Task,
    pub progress: Progress,
    pub report: mpsc::UnboundedSender<Progress>,
    pub requested: watch::Receiver<Requests>,
}

impl TaskLoop {
    /// Runs until it is stopped; a run that is under way then is broken off.
    pub async fn run(mut self, context: Arc<Context>, stop: CancellationToken) {
        if self.task.schedule.is_due_at_once() {
            self.progress.next_run_at = Utc::now();
        }
        stop.run_until_cancelled(async {
            loop {
                self.wait().await;
                self.run_once(&context).await;
            }
        })
        .await;
    }

    /// Waits for the next run, but for no longer than the schedule of today says.
    async fn wait(&mut self) {
        let now = Utc::now();
        let due = self.progress.next_run_at.min(self.task.schedule.next(now));
        let (name, served) = (self.task.name, self.progress.requests_served);
        let requested = self
            .requested
            .wait_for(|all| all.get(name).is_some_and(|requests| *requests > served));
        tokio::select! {
            () = tokio::time::sleep((due - now).to_std().unwrap_or_default()) => {}
            // When nobody tells of requests any more, the loop is about to be stopped.
            _ = requested => {}
        }
    }

    async fn run_once(&mut self, context: &Context) {
        let name = self.task.name;
        let requests = self.requested.borrow().get(name).copied();
        self.progress.started_at = Some(Utc::now());
        self.progress.finished_at = None;
        self.tell();
        let start = Instant::now();
        let outcome = self.outcome(context).await;
        let took = start.elapsed().as_secs_f64();
        let now = Utc::now();
        let progress = &mut self.progress;
        progress.finished_at = Some(now);
        progress.duration_seconds = Some(took);
        progress.requests_served = requests.unwrap_or(progress.requests_served);
        progress.next_run_at = match outcome {
            Ok(Swept::Partly) => now,
            _ => self.task.schedule.next(now),
        };
        if let Err(error) = &outcome {
            let error = error as &dyn std::error::Error;
            tracing::warn!(task.name = name, error, "A task failed");
            progress.failures_in_a_row = progress.failures_in_a_row.saturating_add(1);
            progress.error = Some(error.to_string());
        } else {
            progress.succeeded_at = Some(now);
            progress.failures_in_a_row = 0;
            progress.error = None;
        }
        self.measure(&outcome, took);
        self.tell();
    }

    async fn outcome(&self, context: &Context) -> Result<Swept, RunError> {
        let run = AssertUnwindSafe((self.task.run)(context)).catch_unwind();
        match tokio::time::timeout(self.task.timeout, run).await {
            Err(_) => Err(RunError::TimedOut(self.task.timeout)),
            Ok(Err(_)) => Err(RunError::Panicked),
            Ok(Ok(swept)) => Ok(swept?),
        }
    }

    fn measure(&self, outcome: &Result<Swept, RunError>, took: f64) {
        let metrics = metrics();
        let task = self.task.name;
        let label = match outcome {
            Ok(_) => "succeeded",
            Err(RunError::Sweep(_)) => "failed",
            Err(RunError::TimedOut(_)) => "timed_out",
            Err(RunError::Panicked) => "panicked",
        };
        metrics.task_runs.with_label_values(&[task, label]).inc();
        metrics
            .task_seconds
            .with_label_values(&[task])
            .observe(took);
        metrics
            .task_failures_in_a_row
            .with_label_values(&[task])
            .set(i64::from(self.progress.failures_in_a_row));
        if let (Ok(_), Some(at)) = (outcome, self.progress.succeeded_at) {
            metrics
                .task_last_success_seconds
                .with_label_values(&[task])
                .set(at.timestamp_millis() as f64 / 1000.0);
        }
    }

    /// To the journal, which outlives the loops.
    fn tell(&self) {
        let _ = self.report.send(self.progress.clone());
    }
}
