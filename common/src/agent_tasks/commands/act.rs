//! One of the two participants does something.

use sqlx::types::Json;

use super::add_evidence::insert_evidence_in_tx;
use super::end::enqueue_end_in_tx;
use super::notify::notify_in_tx;
use super::release::{pay_in_tx, release_in_tx};
use super::{count, lock_in_tx};
use crate::agent_tasks::act::lasts;
use crate::agent_tasks::{Act, AgentTask, Participant, TaskError, TaskState};
use crate::ids::{AgentTaskId, UserId};
use crate::ledger::HoldEnd;
use crate::outbox::{Outbox, Tx};

/// Does it, if the table of moves allows it.
pub async fn act(
    outbox: &Outbox,
    id: AgentTaskId,
    user: UserId,
    act: &Act,
    request_id: &str,
) -> Result<AgentTask, TaskError> {
    let mut tx = outbox.begin().await?;
    let task = lock_in_tx(&mut tx, id).await?;
    let participant = Participant::of(user, &task).ok_or(TaskError::NotFound)?;
    if participant != act.participant() {
        return Err(TaskError::OtherParticipant(act.participant()));
    }
    let from = task.state;
    let state = act.leads(from).ok_or(TaskError::WrongState(from))?;
    let task = match state {
        TaskState::Settled => {
            let amount_minor = task.amount_minor;
            pay_in_tx(&mut tx, &task, state, amount_minor, None, request_id).await?
        }
        _ => move_in_tx(&mut tx, &task, state, act).await?,
    };
    match (act, state) {
        (_, TaskState::Cancelled) => release_in_tx(&mut tx, &task, HoldEnd::Voided).await?,
        (
            Act::Dispute {
                evidence: Some(evidence),
                ..
            },
            _,
        ) => insert_evidence_in_tx(&mut tx, id, participant, evidence).await?,
        _ => {}
    }
    if let Some(time) = lasts(state) {
        enqueue_end_in_tx(&mut tx, &task, time, request_id).await?;
    }
    notify_in_tx(&mut tx, &task, request_id).await?;
    tx.commit().await?;
    count(from, &task);
    Ok(task)
}

async fn move_in_tx(
    tx: &mut Tx,
    task: &AgentTask,
    state: TaskState,
    act: &Act,
) -> Result<AgentTask, sqlx::Error> {
    let result = match act {
        Act::Deliver { result } => Some(Json(result)),
        _ => None,
    };
    sqlx::query_as(
        "update agent_tasks
         set state = $2,
             result = coalesce($3, result),
             note = coalesce($4, note),
             accepted_at = case when $2 = 'accepted' then now() else accepted_at end,
             delivered_at = case when $2 = 'delivered' then now() else delivered_at end,
             ended_at = case when $5 then now() end,
             due_at = now() + make_interval(secs => $6),
             version = version + 1
         where id = $1
         returning *",
    )
    .bind(task.id)
    .bind(state)
    .bind(result)
    .bind(act.note())
    .bind(state.is_final())
    .bind(lasts(state).map(|time| time.as_secs_f64()))
    .fetch_one(&mut **tx)
    .await
}
