//! What becomes of the price at the end: back to the payer, or out of the hold to the provider.

use crate::agent_tasks::{AgentTask, TaskError, TaskState};
use crate::db::constraint_of;
use crate::ledger::{self, HoldEnd};
use crate::outbox::Tx;

/// The payer has the price again.
pub(super) async fn release_in_tx(
    tx: &mut Tx,
    task: &AgentTask,
    end: HoldEnd,
) -> Result<(), sqlx::Error> {
    if task.amount_minor > 0 {
        ledger::release_hold_in_tx(tx, task.id.0, end).await?;
    }
    Ok(())
}

/// The provider is paid so much of it, less the fee, and the task ends in that state.
pub(super) async fn pay_in_tx(
    tx: &mut Tx,
    task: &AgentTask,
    state: TaskState,
    paid_minor: i64,
    note: Option<&str>,
    trace: &str,
) -> Result<AgentTask, TaskError> {
    let paid = sqlx::query_scalar("select settle_agent_task($1, $2, $3, $4, $5)")
        .bind(task.id)
        .bind(state)
        .bind(paid_minor)
        .bind(note)
        .bind(trace)
        .fetch_one(&mut **tx)
        .await;
    match paid {
        Ok(true) => {}
        Ok(false) => return Err(TaskError::WrongState(task.state)),
        Err(error) if constraint_of(&error) == Some("parties_not_blocked") => {
            return Err(TaskError::Blocked);
        }
        Err(error) => return Err(error.into()),
    }
    let task = sqlx::query_as("select * from agent_tasks where id = $1")
        .bind(task.id)
        .fetch_one(&mut **tx)
        .await?;
    Ok(task)
}
