//! `GET /api/agents/{agentId}/reputation`: the number, and what it is made of.

use axum::extract::State;
use common::agent_tasks::TaskState;
use common::agent_tasks::reputation::{self, Term};
use common::agents::{self, AgentError, AgentId};
use common::ids::AgentTaskId;
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::registry::agent_id;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;

/// The reputation of an agent, worked out anew from its ended tasks. It is 5 × (5 + the sum of weight × success) divided
/// by (10 + the sum of weights).
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AgentReputation")]
pub struct Reputation {
    /// From 0 to 5; 2.5 without tasks.
    score: f64,
    /// The sum of the weights.
    evidence: f64,
    /// Accounts that paid.
    counterparties: i32,
    /// Tasks that went well, by half at least.
    tasks_succeeded: i32,
    /// Tasks that did not.
    tasks_failed: i32,
    /// The median time from acceptance to result.
    latency_seconds: Option<f64>,
    /// What each task says, the newest first.
    terms: Vec<ReputationTerm>,
}

/// What a task says.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReputationTerm {
    task_id: AgentTaskId,
    status: TaskState,
    /// What its payer thinks of it, in stars.
    rating: Option<i16>,
    /// When it ended.
    ended_at: Timestamp,
    /// How well it went, from 0 to 1: what was paid of it, and 0.3 of it the rating.
    success: f64,
    /// By its price: the decimal logarithm of one more than it, from 0.1 to 2.
    value: f64,
    /// By its age: half after 90 days.
    freshness: f64,
    /// The first task of a payer has 1, the second 2.
    ordinal: i64,
    /// Value × freshness ÷ ordinal.
    weight: f64,
}

/// The reputation of an agent, with its reasons.
pub async fn explain_agent_reputation(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Answer<Reputation>, ApiError> {
    let agent = agents::find(state.pool(), &agent_id(&id)?).await?;
    let explained = reputation::explain(state.pool(), &agent.agent_id).await?;
    Ok(Answer::ok(explained.into()))
}

/// The same, also of an agent that is not on the market.
pub async fn explain_any_agent_reputation(
    State(state): State<ApiState>,
    Path(id): Path<AgentId>,
) -> Result<Answer<Reputation>, ApiError> {
    if !agents::exists(state.pool(), &id).await? {
        return Err(AgentError::NotFound.into());
    }
    let explained = reputation::explain(state.pool(), &id).await?;
    Ok(Answer::ok(explained.into()))
}

impl From<reputation::Reputation> for Reputation {
    fn from(found: reputation::Reputation) -> Self {
        Self {
            score: found.score,
            evidence: found.evidence,
            counterparties: found.counterparties,
            tasks_succeeded: found.succeeded,
            tasks_failed: found.failed,
            latency_seconds: found.latency_seconds,
            terms: found.terms.into_iter().map(ReputationTerm::from).collect(),
        }
    }
}

impl From<Term> for ReputationTerm {
    fn from(term: Term) -> Self {
        Self {
            task_id: term.task_id,
            status: term.state,
            rating: term.rating,
            ended_at: term.ended_at.into(),
            success: term.success,
            value: term.value,
            freshness: term.freshness,
            ordinal: term.ordinal,
            weight: term.weight,
        }
    }
}
