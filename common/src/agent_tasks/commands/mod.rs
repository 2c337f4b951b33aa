//! What changes tasks. Locks in order: agents, the task, holds, accounts.

mod act;
mod add_evidence;
mod create;
mod end;
mod notify;
mod rate;
mod release;
mod resolve;

pub use act::act;
pub use add_evidence::add_evidence;
pub use create::{NewTask, create};
pub use end::end_if_due;
pub use rate::rate;
pub use resolve::resolve;

use crate::agent_tasks::{AgentTask, TaskError, TaskState};
use crate::ids::AgentTaskId;
use crate::outbox::Tx;
use crate::telemetry::metrics;

/// Counts a step that has committed.
fn count(from: TaskState, task: &AgentTask) {
    let market = &metrics().market;
    let step = [from.as_str(), task.state.as_str()];
    market.transitions.with_label_values(&step).inc();
    if let (Some(_), Some(ended_at)) = (task.paid_minor, task.ended_at) {
        let time = ended_at - task.created_at;
        market.settlement_seconds.observe(time.as_seconds_f64());
    }
}

/// The task, which nobody else changes before this transaction ends.
async fn lock_in_tx(tx: &mut Tx, id: AgentTaskId) -> Result<AgentTask, TaskError> {
    sqlx::query_as("select * from agent_tasks where id = $1 for no key update")
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(TaskError::NotFound)
}
