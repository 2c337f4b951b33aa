//! One wake-up call, from lease to outcome.
//!
//! Whatever a handler does (return, fail, panic, hang, be cancelled), the job's row says what comes
//! next before the call is acknowledged. When PostgreSQL is away that is tried for a while; then the
//! call is dropped, the next heartbeat that gets through gives the job back, and the sweep wakes it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::jobs::{self, BulkOrder, JobName, Lease, QueueSpec};
use common::pipeline::{self, GiveUp};
use common::queue::{Delivery, Lane, Wake};
use common::telemetry::metrics;
use common::{db, events};
use futures::FutureExt as _;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use crate::outcome::JobError;
use crate::{Context, handlers};

/// Pauses between tries to reach PostgreSQL; after the last the call is dropped.
const PATIENCE: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Handles what a lane of the queue delivered.
pub async fn run(context: Arc<Context>, spec: &'static QueueSpec, lane: Lane, delivery: Delivery) {
    let queue = spec.name;
    match delivery {
        Delivery::Wake(wake) => run_wake(&context, spec, lane, wake).await,
        Delivery::Undecodable {
            bytes,
            error,
            task_id,
        } => {
            tracing::error!(
                queue.name = queue,
                queue.task_id = task_id,
                error,
                "Set aside a payload that is no wake-up call"
            );
            let kept = patiently(|| {
                jobs::quarantine_payload(context.pool(), queue, &task_id, &bytes, &error)
            })
            .await;
            if let Err(error) = kept {
                tracing::error!(%error, queue.name = queue, payload = %hex_of(&bytes), "Could not keep the payload");
            }
        }
    }
}

async fn run_wake(context: &Context, spec: &'static QueueSpec, lane: Lane, wake: Wake) {
    let leased = match (lane, spec.bulk) {
        (Lane::Bulk, BulkOrder::Turns) => patiently(|| context.leaser.lease_next(spec.name)).await,
        _ => patiently(|| context.leaser.lease(wake.clone())).await,
    };
    let lease = match leased {
        Ok(Some(lease)) => lease,
        // Stale: the job ended, runs elsewhere or is not due yet.
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, job.id = %wake.job, "Could not lease; the sweep will wake the job again");
            return;
        }
    };
    let span = tracing::info_span!(
        "job",
        job.name = lease.name,
        job.id = %lease.job,
        job.fence = lease.fence,
        request.id = lease.trace,
    );
    let job = lease.job;
    // Boxed: one future of all handlers within the others is deeper than the compiler lays out.
    let running = Box::pin(run_lease(context, lease).instrument(span));
    events::caused_by(job, running).await;
}

async fn run_lease(context: &Context, lease: Lease) {
    let Ok(name) = lease.name.parse::<JobName>() else {
        let reason = format!("this version knows no job called {}", lease.name);
        settle(context, &lease, i32::MAX, Err(JobError::retry(reason))).await;
        return;
    };
    metrics()
        .job_start_delay_seconds
        .with_label_values(&[name.as_str()])
        .observe(lease.waited_seconds);
    let running = metrics()
        .jobs_running
        .with_label_values(&[name.spec().queue.name]);
    running.inc();
    let start = Instant::now();
    let cancelled = context.runs.enter(&lease);
    let result = supervise(context, name, &lease, cancelled).await;
    running.dec();
    let label = result.as_ref().err().map_or("done", JobError::label);
    let seconds = start.elapsed().as_secs_f64();
    metrics()
        .job_seconds
        .with_label_values(&[name.as_str()])
        .observe(seconds);
    metrics()
        .jobs_finished
        .with_label_values(&[name.as_str(), label])
        .inc();
    match &result {
        Ok(()) => tracing::info!(
            job.outcome = label,
            duration_ms = seconds * 1e3,
            "Ran {name}"
        ),
        Err(error) => tracing::warn!(
            job.outcome = label,
            duration_ms = seconds * 1e3,
            ?error,
            "Ran {name}"
        ),
    }
    settle(context, &lease, lease.attempts, result).await;
    context.runs.leave(&lease);
}

/// The handler under its deadline; a panic and a cancellation are outcomes like others.
async fn supervise(
    context: &Context,
    name: JobName,
    lease: &Lease,
    cancelled: oneshot::Receiver<String>,
) -> Result<(), JobError> {
    let handler = AssertUnwindSafe(handlers::run(context, name, lease)).catch_unwind();
    tokio::select! {
        Ok(reason) = cancelled => Err(JobError::Cancel { reason }),
        ended = tokio::time::timeout(name.spec().timeout, handler) => match ended {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(JobError::Retry { outcome: "panic", reason: panic_text(&*panic), delay: None }),
            Err(_) => Err(JobError::Retry {
                outcome: "timeout",
                reason: format!("took longer than {} s", name.spec().timeout.as_secs()),
                delay: None,
            }),
        },
    }
}

/// Writes down what comes next. A handler that is done has done so itself, in its last transaction.
async fn settle(context: &Context, lease: &Lease, attempts: i32, result: Result<(), JobError>) {
    let attempts_max = lease
        .name
        .parse::<JobName>()
        .map_or(0, |name| name.spec().attempts_max);
    let written = match result {
        Ok(()) | Err(JobError::Superseded) => return,
        Err(JobError::Snooze { reason }) => {
            let delay = jobs::snooze_delay(lease.snoozes);
            patiently(|| jobs::snooze(context.pool(), lease, &reason, delay)).await
        }
        Err(JobError::Cancel { reason }) => {
            patiently(|| pipeline::give_up(&context.outbox, lease, GiveUp::Cancelled, &reason))
                .await
        }
        Err(JobError::Retry { reason, .. }) if attempts.saturating_add(1) >= attempts_max => {
            tracing::error!(reason, job.name = lease.name, job.id = %lease.job, "Gave a job up; it is quarantined");
            patiently(|| pipeline::give_up(&context.outbox, lease, GiveUp::Quarantined, &reason))
                .await
        }
        Err(JobError::Retry {
            outcome,
            reason,
            delay,
        }) => {
            let delay = delay.unwrap_or_else(|| jobs::retry_delay(attempts));
            patiently(|| jobs::retry(context.pool(), lease, outcome, &reason, delay)).await
        }
    };
    match written {
        Ok(Ok(())) => {}
        Ok(Err(_lost)) => tracing::debug!("The lease was lost before the outcome was written"),
        Err(error) => {
            tracing::error!(%error, "Could not write the outcome; the heartbeat will give the job back")
        }
    }
}

/// Tries again while PostgreSQL is away.
async fn patiently<T, F>(mut write: impl FnMut() -> F) -> Result<T, db::Error>
where
    F: Future<Output = Result<T, db::Error>>,
{
    for pause in PATIENCE {
        match write().await {
            Err(error) if db::is_ours_to_fix(&error) => tokio::time::sleep(pause).await,
            other => return other,
        }
    }
    write().await
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("no message"))
}

fn hex_of(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(256)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
