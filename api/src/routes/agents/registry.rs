//! The registry: PostgreSQL is written first, then presence in Redis.

use axum::Extension;
use axum::extract::State;
use common::agents::commands::{self, AgentChange, NewAgent};
use common::agents::{self, AgentError, AgentId, Presence, Profile, card};
use common::telemetry::metrics;

use super::body::{AgentBody, ChangesBody, HeartbeatBody};
use super::view::Agent;
use crate::contract::{Answer, Cacheable, NoContent};
use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::{Caller, IfMatch, Json, Path};
use crate::middleware::RequestId;
use crate::state::ApiState;

/// Registers an agent, or registers one again that the caller had unregistered.
pub async fn create_agent(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Json(body): Json<AgentBody>,
) -> Result<Answer<Agent>, ApiError> {
    let new = NewAgent {
        agent_id: body.agent_id.clone(),
        owner: principal.user,
        profile: Profile::default()
            .with(body.changes(), &state.webhook_policy)
            .map_err(AgentError::Fields)?,
        request_id: request_id.0,
    };
    let registered = commands::register(&state.outbox, &new).await;
    let status = match &registered {
        Ok(_) => "success",
        Err(AgentError::Taken) => "duplicate",
        Err(_) => "error",
    };
    metrics()
        .market
        .registrations
        .with_label_values(&[status])
        .inc();
    let agent = registered?;
    let presence = state.presence.appear(&agent).await;
    let tag = Tagged::at(agent.version);
    let location = format!("/api/agents/{}", agent.agent_id);
    let shown = show(&state, agent, presence).await?;
    Ok(Answer::created(shown, &location).tagged(tag))
}

/// One agent.
pub async fn get_agent(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Cacheable<Agent>, ApiError> {
    let agent = agents::find(state.pool(), &agent_id(&id)?).await?;
    let presence = state.presence.of(&[&agent.agent_id]).await;
    let presence = presence.first().copied().unwrap_or(Presence::Unknown);
    Ok(Cacheable(answer(&state, agent, presence).await?))
}

/// Changes what the body names, if the agent is at a version that the caller has seen.
pub async fn change_agent(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    if_match: Result<IfMatch, ApiError>,
    Path(id): Path<String>,
    Json(body): Json<ChangesBody>,
) -> Result<Answer<Agent>, ApiError> {
    let agent_id = agent_id(&id)?;
    let agent = agents::find(state.pool(), &agent_id).await?;
    if agent.owner_id != principal.user {
        return Err(AgentError::NotFound.into());
    }
    let IfMatch(if_match) = if_match?;
    let change = AgentChange {
        agent_id,
        owner: principal.user,
        if_match,
        changes: body.changes()?,
        request_id: request_id.0,
    };
    let agent = commands::change(&state.outbox, &state.webhook_policy, change).await?;
    let presence = state.presence.appear(&agent).await;
    answer(&state, agent, presence).await
}

/// Notes that an agent lives.
pub async fn send_heartbeat(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    body: Option<Json<HeartbeatBody>>,
) -> Result<Answer<Agent>, ApiError> {
    let Json(body) = body.unwrap_or_else(|| Json(HeartbeatBody::default()));
    let id = agent_id(&id)?;
    let agent = commands::heartbeat(state.pool(), &id, principal.user, body.availability).await?;
    let presence = state.presence.appear(&agent).await;
    answer(&state, agent, presence).await
}

/// Takes an agent off the market.
pub async fn unregister_agent(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<NoContent, ApiError> {
    let id = agent_id(&id)?;
    commands::unregister(state.pool(), &id, principal.user).await?;
    metrics().market.unregistrations.inc();
    state.presence.vanish(&id).await;
    Ok(NoContent)
}

/// One agent with its entity tag.
async fn answer(
    state: &ApiState,
    agent: agents::Agent,
    presence: Presence,
) -> Result<Answer<Agent>, ApiError> {
    let tag = Tagged::at(agent.version);
    Ok(Answer::ok(show(state, agent, presence).await?).tagged(tag))
}

async fn show(
    state: &ApiState,
    agent: agents::Agent,
    presence: Presence,
) -> Result<Agent, ApiError> {
    let card = card::list(state.pool(), &[&agent.agent_id]).await?.pop();
    Ok(Agent::new(agent, presence, card))
}

/// The id in a path.
pub(super) fn agent_id(text: &str) -> Result<AgentId, ApiError> {
    Ok(AgentId::parse(text).ok_or(AgentError::NotFound)?)
}
