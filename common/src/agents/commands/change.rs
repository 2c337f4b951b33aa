//! Changes what an owner says of an agent. What is so already is no change, and makes no version.

use crate::agents::{Agent, AgentError, AgentId, Profile, ProfileChanges, card};
use crate::ids::UserId;
use crate::outbox::Outbox;
use crate::webhooks::Policy;

/// A change to the version that its maker has seen.
#[derive(Debug)]
pub struct AgentChange {
    pub agent_id: AgentId,
    pub owner: UserId,
    /// The versions that it may be made to; none is any.
    pub if_match: Option<Vec<i64>>,
    pub changes: ProfileChanges,
    pub request_id: String,
}

/// Makes the change.
pub async fn change(
    outbox: &Outbox,
    policy: &Policy,
    change: AgentChange,
) -> Result<Agent, AgentError> {
    let mut tx = outbox.begin().await?;
    let agent: Agent = sqlx::query_as(
        "select *
         from agents
         where agent_id = $1
           and owner_id = $2
           and unregistered_at is null
         for no key update",
    )
    .bind(&change.agent_id)
    .bind(change.owner)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AgentError::NotFound)?;
    let is_known = |versions: &Vec<i64>| versions.contains(&agent.version);
    if !change.if_match.as_ref().is_none_or(is_known) {
        return Err(AgentError::VersionChanged(agent.version));
    }
    let profile = agent
        .profile
        .clone()
        .with(change.changes, policy)
        .map_err(AgentError::Fields)?;
    if profile == agent.profile {
        return Ok(agent);
    }
    let changed: Agent = sqlx::query_as(
        "update agents
         set name = $2, description = $3, capabilities = $4, cost_per_task_minor = $5, currency = $6,
             capacity_per_hour = $7, availability = $8, endpoint_url = $9, card_url = $10, metadata = $11,
             version = version + 1, changed_at = now()
         where agent_id = $1
         returning *",
    )
    .bind(&agent.agent_id)
    .bind(&profile.name)
    .bind(&profile.description)
    .bind(&profile.capabilities)
    .bind(profile.cost_per_task_minor)
    .bind(&profile.currency)
    .bind(profile.capacity_per_hour)
    .bind(profile.availability)
    .bind(&profile.endpoint_url)
    .bind(&profile.card_url)
    .bind(&profile.metadata)
    .fetch_one(&mut *tx)
    .await?;
    let address = |profile: &Profile| (profile.card_url.clone(), profile.endpoint_url.clone());
    if address(&profile) != address(&agent.profile) {
        card::request_in_tx(&mut tx, &changed, &change.request_id).await?;
    }
    tx.commit().await?;
    Ok(changed)
}
