//! An agent gives a sign of life, and may say whether it takes tasks.

use sqlx::PgPool;

use crate::agents::{Agent, AgentError, AgentId, Availability};
use crate::db;
use crate::ids::UserId;

/// Writes it down. Only a change of availability makes a version.
pub async fn heartbeat(
    pool: &PgPool,
    id: &AgentId,
    owner: UserId,
    availability: Option<Availability>,
) -> Result<Agent, AgentError> {
    let mut writer = db::writer(pool).await?;
    let agent = sqlx::query_as(
        "update agents
         set seen_at = now(),
             availability = coalesce($3, availability),
             version = version + (coalesce($3, availability) <> availability)::integer,
             changed_at = case when coalesce($3, availability) <> availability then now() else changed_at end
         where agent_id = $1
           and owner_id = $2
           and unregistered_at is null
         returning *",
    )
    .bind(id)
    .bind(owner)
    .bind(availability)
    .fetch_optional(&mut *writer)
    .await?;
    writer.finish().await?;
    agent.ok_or(AgentError::NotFound)
}
