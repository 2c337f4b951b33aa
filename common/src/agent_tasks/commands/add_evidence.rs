//! The participants of a dispute say what speaks for them.

use sqlx::types::Json;

use super::lock_in_tx;
use crate::agent_tasks::{AgentTask, CHANGED, Evidence, Participant, TaskError, TaskState};
use crate::ids::{AgentTaskId, UserId};
use crate::limits::TASK_EVIDENCE_MAX;
use crate::outbox::{Outbox, Tx};

/// Adds a piece of evidence to a dispute.
pub async fn add_evidence(
    outbox: &Outbox,
    id: AgentTaskId,
    user: UserId,
    evidence: &Evidence,
) -> Result<AgentTask, TaskError> {
    let mut tx = outbox.begin().await?;
    let task = lock_in_tx(&mut tx, id).await?;
    let participant = Participant::of(user, &task).ok_or(TaskError::NotFound)?;
    if task.state != TaskState::Disputed {
        return Err(TaskError::WrongState(task.state));
    }
    let given: i64 = sqlx::query_scalar(
        "select count(*) from agent_task_evidence where task_id = $1 and participant = $2",
    )
    .bind(id)
    .bind(participant)
    .fetch_one(&mut *tx)
    .await?;
    if given >= TASK_EVIDENCE_MAX {
        return Err(TaskError::TooMuchEvidence);
    }
    insert_evidence_in_tx(&mut tx, id, participant, evidence).await?;
    tx.announce(CHANGED, id.to_string());
    tx.commit().await?;
    Ok(task)
}

pub(super) async fn insert_evidence_in_tx(
    tx: &mut Tx,
    task: AgentTaskId,
    participant: Participant,
    evidence: &Evidence,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into agent_task_evidence (task_id, participant, body) values ($1, $2, $3)")
        .bind(task)
        .bind(participant)
        .bind(Json(evidence))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
