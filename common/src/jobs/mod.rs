//! Jobs: durable units of work, kept in PostgreSQL and woken through Redis.
//!
//! ```text
//! ready ──lease──▶ running ──▶ done
//!   ▲                │ ├─────▶ cancelled
//!   └── retry, snooze┘ └─────▶ quarantined ──operator──▶ ready
//! ```
//!
//! An alarm is a job that never ends: see `alarm`.
//!
//! Tenants share the workers by cost (`cost`), not by count. What is light and whose tenant has little
//! outstanding runs in the fast lane, in the order of its calls. All else runs in the bulk lane, where a
//! call only says that there is work, and `lease` takes the job whose turn it is.
//!
//! Guarantees, each held by a test of the same meaning in `tests/tests/jobs.rs`:
//! - a job exists exactly when the transaction that made it necessary committed;
//! - at most one worker's writes for a job take effect: each is conditional on the fence and worker
//!   of the lease, so a job that runs twice, or twice at once, has one effect;
//! - a job whose worker dies is ready again within the lease; whatever Redis forgets is pushed again.
//!
//! It knows nothing of uploads or webhooks: what a job means is in `pipeline` and in the worker.

mod alarm;
mod control;
mod cost;
mod enqueue;
mod error;
mod lease;
mod model;
mod outcome;
mod sweep;
mod workers;

pub use alarm::{Rest, RungAlarm, postpone, rest, ring};
pub use control::{
    JobDetail, JobFilter, JobSummary, QueueState, QueuedPayload, drop_payload, find_job, list_jobs,
    list_payloads, observe_queues, pause_queue, queue_states, request_cancel, requeue_in_tx,
    resume_queue,
};
pub use cost::Cost;
pub use enqueue::{Enqueued, NewJob, enqueue_in_tx};
pub use error::JobsError;
pub use lease::{Lease, LeaseLost, Leaser, finish_in_tx};
pub use model::{BulkOrder, JobName, JobSpec, JobState, QueueSpec};
pub use outcome::{
    cancel_in_tx, cancel_waiting_in_tx, give_back, quarantine_in_tx, quarantine_payload, retry,
    retry_delay, snooze, snooze_delay,
};
pub use sweep::{Reclaimed, SweepCursor, due, prune_finished, prune_workers, reclaim};
pub use workers::{Beat, beat, retire};
