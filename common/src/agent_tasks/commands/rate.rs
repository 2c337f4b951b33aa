//! The payer says what a task was worth. A rating stands.

use super::lock_in_tx;
use crate::agent_tasks::{AgentTask, CHANGED, Participant, TaskError};
use crate::events;
use crate::ids::{AgentTaskId, UserId};
use crate::outbox::Outbox;

/// Rates a task that has ended after its delivery.
pub async fn rate(
    outbox: &Outbox,
    id: AgentTaskId,
    user: UserId,
    stars: i16,
    trace: &str,
) -> Result<AgentTask, TaskError> {
    let mut tx = outbox.begin().await?;
    let task = lock_in_tx(&mut tx, id).await?;
    match Participant::of(user, &task) {
        None => return Err(TaskError::NotFound),
        Some(Participant::Provider) => return Err(TaskError::OtherParticipant(Participant::Payer)),
        Some(Participant::Payer) => {}
    }
    if task.delivered_at.is_none() || !task.state.is_final() {
        return Err(TaskError::WrongState(task.state));
    }
    if task.rating.is_some() {
        return Err(TaskError::RatedBefore);
    }
    let task = sqlx::query_as(
        "update agent_tasks set rating = $2, version = version + 1 where id = $1 returning *",
    )
    .bind(id)
    .bind(stars)
    .fetch_one(&mut *tx)
    .await?;
    let data = serde_json::json!({ "rating": stars });
    events::append_in_tx(&mut tx, id.0, "agent_task.rated", trace, data).await?;
    tx.announce(CHANGED, id.to_string());
    tx.commit().await?;
    Ok(task)
}
