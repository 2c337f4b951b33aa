//! A state's time is over: a task that was not accepted or delivered expires, one that was not disputed settles.

use std::time::Duration;

use super::notify::notify_in_tx;
use super::release::{pay_in_tx, release_in_tx};
use super::{count, lock_in_tx};
use crate::agent_tasks::{AgentTask, TaskError, TaskState};
use crate::ids::AgentTaskId;
use crate::jobs::{self, Cost, JobName, Lease, LeaseLost, NewJob};
use crate::ledger::HoldEnd;
use crate::outbox::{Outbox, Tx};

/// Asks for the job that looks at the task when its state has lasted so long.
pub(super) async fn enqueue_end_in_tx(
    tx: &mut Tx,
    task: &AgentTask,
    after: Duration,
    trace: &str,
) -> Result<(), sqlx::Error> {
    tx.enqueue(&NewJob {
        name: JobName::EndAgentTask,
        subject: task.id.0,
        tenant: Some(task.payer_id),
        cost: Cost::ROWS,
        trace: trace.to_owned(),
        delay: after,
    })
    .await
}

/// Ends the state of a task if its time is over, and the job with it. A job of an earlier state finds nothing to do.
pub async fn end_if_due(
    outbox: &Outbox,
    lease: &Lease,
) -> Result<Result<(), LeaseLost>, TaskError> {
    let mut tx = outbox.begin().await?;
    let task = lock_in_tx(&mut tx, AgentTaskId(lease.subject)).await?;
    let mut ended = None;
    if is_due_in_tx(&mut tx, &task).await? {
        let task = end_in_tx(&mut tx, &task, &lease.trace).await?;
        notify_in_tx(&mut tx, &task, &lease.trace).await?;
        ended = Some(task);
    }
    if let Err(lost) = jobs::finish_in_tx(&mut tx, lease).await? {
        return Ok(Err(lost));
    }
    tx.commit().await?;
    if let Some(ended) = ended {
        count(task.state, &ended);
    }
    Ok(Ok(()))
}

/// By the clock of PostgreSQL, as the job was.
async fn is_due_in_tx(tx: &mut Tx, task: &AgentTask) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select coalesce(due_at <= now(), false) from agent_tasks where id = $1")
        .bind(task.id)
        .fetch_one(&mut **tx)
        .await
}

async fn end_in_tx(tx: &mut Tx, task: &AgentTask, trace: &str) -> Result<AgentTask, TaskError> {
    if task.state == TaskState::Delivered {
        let (state, amount_minor) = (TaskState::Settled, task.amount_minor);
        return pay_in_tx(tx, task, state, amount_minor, None, trace).await;
    }
    let task = sqlx::query_as(
        "update agent_tasks
         set state = 'expired', ended_at = now(), due_at = null, version = version + 1
         where id = $1
         returning *",
    )
    .bind(task.id)
    .fetch_one(&mut **tx)
    .await?;
    release_in_tx(tx, &task, HoldEnd::Expired).await?;
    Ok(task)
}
