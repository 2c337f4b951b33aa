//! Reads of tasks.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::types::Json;

use super::{AgentTask, Evidence, Participant};
use crate::ids::{AgentTaskId, UserId};

/// Something that happened to a task.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HistoryEntry {
    /// The type of the event.
    pub event_type: String,
    pub at: DateTime<Utc>,
}

/// A piece of evidence.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EvidenceEntry {
    pub participant: Participant,
    pub body: Json<Evidence>,
    pub at: DateTime<Utc>,
}

/// A task.
pub async fn find(pool: &PgPool, id: AgentTaskId) -> Result<Option<AgentTask>, sqlx::Error> {
    sqlx::query_as("select * from agent_tasks where id = $1")
        .bind(id)
        .fetch_optional(pool)
        .await
}

/// A task of one of whose sides the user is.
pub async fn find_of(
    pool: &PgPool,
    id: AgentTaskId,
    user: UserId,
) -> Result<Option<AgentTask>, sqlx::Error> {
    let task = find(pool, id).await?;
    Ok(task.filter(|task| Participant::of(user, task).is_some()))
}

/// All that happened to a task, in its order.
pub async fn list_history(
    pool: &PgPool,
    id: AgentTaskId,
) -> Result<Vec<HistoryEntry>, sqlx::Error> {
    sqlx::query_as("select event_type, at from events where stream = $1 order by version")
        .bind(id)
        .fetch_all(pool)
        .await
}

/// The evidence of both participants of a task, in its order.
pub async fn list_evidence(
    pool: &PgPool,
    id: AgentTaskId,
) -> Result<Vec<EvidenceEntry>, sqlx::Error> {
    sqlx::query_as(
        "select participant, body, at from agent_task_evidence where task_id = $1 order by id",
    )
    .bind(id)
    .fetch_all(pool)
    .await
}
