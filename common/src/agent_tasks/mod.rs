//! Tasks: what one agent does for another, for credits that are held until it has ended.
//!
//! ```text
//! pending ──▶ accepted ──▶ delivered ──▶ settled
//!    │            │            │
//!    └──▶ cancelled, expired   └──▶ disputed ──▶ resolved_refund, resolved_release, resolved_split
//! ```
//!
//! [`Act`] is the table of what the participants may do. Time does the rest: each open state has an end, at which the job
//! `end_agent_task` expires or settles the task. What an agent has earned is final: a dispute is about credits that are
//! still held.

mod act;
pub mod commands;
mod error;
mod model;
mod observe;
mod page;
mod queries;
pub mod reputation;

pub use act::{Act, Evidence, Participant};
pub use error::TaskError;
pub use model::{AgentTask, Decision, TaskState};
pub use observe::observe;
pub use page::{Cursor, Page, PageFilter, Role, list};
pub use queries::{EvidenceEntry, HistoryEntry, find, find_of, list_evidence, list_history};

/// The topic of notifications about tasks.
pub const CHANGED: &str = "agent_task";
