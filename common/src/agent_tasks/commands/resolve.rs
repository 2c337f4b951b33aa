//! An operator ends a dispute.

use super::notify::notify_in_tx;
use super::release::{pay_in_tx, release_in_tx};
use super::{count, lock_in_tx};
use crate::agent_tasks::{AgentTask, Decision, TaskError, TaskState};
use crate::ids::AgentTaskId;
use crate::ledger::HoldEnd;
use crate::outbox::{Outbox, Tx};

/// Ends it. The first decision stands.
pub async fn resolve(
    outbox: &Outbox,
    id: AgentTaskId,
    decision: Decision,
    note: &str,
    request_id: &str,
) -> Result<AgentTask, TaskError> {
    let mut tx = outbox.begin().await?;
    let task = lock_in_tx(&mut tx, id).await?;
    if task.state != TaskState::Disputed {
        return Err(TaskError::WrongState(task.state));
    }
    let state = decision.state();
    let task = match decision {
        Decision::Refund => refund_in_tx(&mut tx, &task, note).await?,
        Decision::Release | Decision::Split { .. } => {
            let paid_minor = decision.paid_minor(task.amount_minor);
            pay_in_tx(&mut tx, &task, state, paid_minor, Some(note), request_id).await?
        }
    };
    notify_in_tx(&mut tx, &task, request_id).await?;
    tx.commit().await?;
    count(TaskState::Disputed, &task);
    Ok(task)
}

async fn refund_in_tx(tx: &mut Tx, task: &AgentTask, note: &str) -> Result<AgentTask, sqlx::Error> {
    let task = sqlx::query_as(
        "update agent_tasks
         set state = 'resolved_refund', note = $2, ended_at = now(), version = version + 1
         where id = $1
         returning *",
    )
    .bind(task.id)
    .bind(note)
    .fetch_one(&mut **tx)
    .await?;
    release_in_tx(tx, &task, HoldEnd::Voided).await?;
    Ok(task)
}
