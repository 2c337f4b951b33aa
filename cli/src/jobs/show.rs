//! One job in full, for people.

use chrono::{DateTime, Utc};
use common::jobs::JobState;
use serde::Deserialize;
use uuid::Uuid;

use crate::age::{since, since_if_any};
use crate::table::Table;

/// A job with the history of its runs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    id: Uuid,
    name: String,
    queue: String,
    lane: String,
    state: JobState,
    subject: Uuid,
    request_id: String,
    fence: u32,
    attempts: u32,
    snoozes: u32,
    crashes: u32,
    reason: Option<String>,
    worker: Option<Uuid>,
    run_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    history: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    fence: u32,
    outcome: String,
    reason: String,
    at: DateTime<Utc>,
}

/// The job as names and values, then what went wrong in its runs.
pub fn job(job: JobDetail) -> String {
    let pairs = [
        ("job", job.id.to_string()),
        ("name", job.name),
        ("queue", format!("{} ({} lane)", job.queue, job.lane)),
        ("state", job.state.to_string()),
        ("reason", job.reason.unwrap_or_default()),
        ("subject", job.subject.to_string()),
        ("request", job.request_id),
        ("made", since(job.created_at)),
        ("due", since(job.run_at)),
        ("started", since_if_any(job.started_at)),
        ("finished", since_if_any(job.finished_at)),
        ("runs", job.fence.to_string()),
        ("failed", job.attempts.to_string()),
        ("snoozed", job.snoozes.to_string()),
        ("crashed", job.crashes.to_string()),
        (
            "worker",
            job.worker
                .map_or_else(String::new, |worker| worker.to_string()),
        ),
    ];
    let facts = Table::of_pairs(pairs);
    if job.history.is_empty() {
        return format!("{facts}\nNo run of it went wrong.\n");
    }
    let mut history = Table::new(["WHEN", "RUN", "OUTCOME", "REASON"]);
    for fault in job.history {
        history.row([
            since(fault.at),
            fault.fence.to_string(),
            fault.outcome,
            fault.reason,
        ]);
    }
    format!("{facts}\n{history}")
}
