//! Registers an agent, or registers one again that its owner had unregistered.

use crate::agents::{Agent, AgentError, AgentId, Profile, card};
use crate::db;
use crate::ids::UserId;
use crate::limits::AGENTS_MAX;
use crate::outbox::Outbox;

/// An agent to be.
#[derive(Debug)]
pub struct NewAgent {
    pub agent_id: AgentId,
    pub owner: UserId,
    pub profile: Profile,
    pub request_id: String,
}

/// Registers it.
pub async fn register(outbox: &Outbox, new: &NewAgent) -> Result<Agent, AgentError> {
    let mut tx = outbox.begin().await?;
    // One after the other for one owner, so that the count holds.
    sqlx::query("select from users where id = $1 for no key update")
        .bind(new.owner)
        .execute(&mut *tx)
        .await?;
    let count: i64 = sqlx::query_scalar(
        "select count(*) from agents where owner_id = $1 and unregistered_at is null",
    )
    .bind(new.owner)
    .fetch_one(&mut *tx)
    .await?;
    if count >= AGENTS_MAX {
        return Err(AgentError::TooMany);
    }
    let profile = &new.profile;
    let registered = sqlx::query_as(
        "insert into agents (
             agent_id, owner_id, name, description, capabilities, cost_per_task_minor, currency, capacity_per_hour,
             availability, endpoint_url, card_url, metadata
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (agent_id) do update
         set name = excluded.name,
             description = excluded.description,
             capabilities = excluded.capabilities,
             cost_per_task_minor = excluded.cost_per_task_minor,
             currency = excluded.currency,
             capacity_per_hour = excluded.capacity_per_hour,
             availability = excluded.availability,
             endpoint_url = excluded.endpoint_url,
             card_url = excluded.card_url,
             metadata = excluded.metadata,
             version = agents.version + 1,
             registered_at = now(),
             changed_at = now(),
             seen_at = now(),
             unregistered_at = null
         where agents.owner_id = excluded.owner_id
           and agents.unregistered_at is not null
         returning *",
    )
    .bind(&new.agent_id)
    .bind(new.owner)
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
    .fetch_optional(&mut *tx)
    .await;
    let agent: Agent = match registered {
        Ok(Some(agent)) => agent,
        Ok(None) => return Err(AgentError::Taken),
        Err(error) if db::constraint_of(&error) == Some("agents_id_in_any_case") => {
            return Err(AgentError::Taken);
        }
        Err(error) => return Err(error.into()),
    };
    card::request_in_tx(&mut tx, &agent, &new.request_id).await?;
    tx.commit().await?;
    Ok(agent)
}
