//! Reads of agents.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use super::{Agent, AgentError, AgentId};

/// An agent that is on the market.
pub async fn find(executor: impl PgExecutor<'_>, id: &AgentId) -> Result<Agent, AgentError> {
    sqlx::query_as("select * from agents_on_market where agent_id = $1")
        .bind(id)
        .fetch_optional(executor)
        .await?
        .ok_or(AgentError::NotFound)
}

/// Whether there is such an agent, or was.
pub async fn exists(executor: impl PgExecutor<'_>, id: &AgentId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from agents where agent_id = $1)")
        .bind(id)
        .fetch_one(executor)
        .await
}

/// A page of the agents that were seen since then, by id.
pub(super) async fn list_seen_since(
    pool: &PgPool,
    since: DateTime<Utc>,
    after: Option<&AgentId>,
    limit: i64,
) -> Result<Vec<Agent>, sqlx::Error> {
    sqlx::query_as(
        "select *
         from agents
         where seen_at > $1
           and ($2::text is null or agent_id > $2)
           and unregistered_at is null
         order by agent_id
         limit $3",
    )
    .bind(since)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// Those of these ids whose agents are registered.
pub(super) async fn list_registered(
    pool: &PgPool,
    ids: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select agent_id from agents where agent_id = any($1) and unregistered_at is null",
    )
    .bind(ids)
    .fetch_all(pool)
    .await
}
