//! Tasks that agents do for each other.

use std::time::Duration;

/// A task that its provider has not accepted in this time expires.
pub const TASK_ACCEPTANCE: Duration = Duration::from_secs(3600);
/// An accepted task that is not delivered in this time expires.
pub const TASK_WORK: Duration = Duration::from_secs(24 * 3600);
/// A delivered task that its payer has not disputed in this time settles.
pub const TASK_REVIEW: Duration = Duration::from_secs(72 * 3600);
/// What a payer says with a task, as JSON text.
pub const TASK_CONTEXT_BYTES_MAX: usize = 16 * 1024;
/// What a provider delivers, as JSON text.
pub const TASK_RESULT_BYTES_MAX: usize = 64 * 1024;
/// A piece of evidence, as JSON text.
pub const TASK_EVIDENCE_BYTES_MAX: usize = 16 * 1024;
/// Pieces of evidence of one participant of a task.
pub const TASK_EVIDENCE_MAX: i64 = 20;
/// The newest tasks of an agent that its reputation is made of.
pub const REPUTATION_TASKS_MAX: i64 = 1000;
/// Agents whose reputation one step works out.
pub const REPUTATION_STEP_ROWS_MAX: i64 = 50;
/// Rows that one export of tasks has.
pub const TASK_EXPORT_ROWS_MAX: i64 = 10_000;
