//! The laws of the job pipeline, each as one claim, against real PostgreSQL and Redis.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "jobs/ends.rs"]
mod ends;
#[path = "jobs/fairness.rs"]
mod fairness;
#[path = "jobs/leases.rs"]
mod leases;
#[path = "jobs/operators.rs"]
mod operators;
#[path = "jobs/outages.rs"]
mod outages;
#[path = "jobs/tasks.rs"]
mod tasks;
#[path = "jobs/waking.rs"]
mod waking;
