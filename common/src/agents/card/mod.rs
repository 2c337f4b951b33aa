//! The A2A card of an agent: fetched from where its owner says it is, checked, and kept as it came.
//!
//! ```text
//! pending ──is sound──▶ verified
//!    └──is not, or cannot be had──▶ refused
//! ```
//!
//! A new address begins again. Once a day each card is fetched again; until that has ended, what was known of it
//! stays.

mod commands;
mod document;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};

use super::AgentId;
use crate::ids::CardFetchId;

pub(super) use commands::request_in_tx;
pub use commands::{CardFound, record, renew};
pub use document::{AgentCard, AgentSkill, CardCapabilities, CardInterface, check};

/// What is known of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "AgentCardState")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum CardState {
    /// It was not fetched yet.
    Pending,
    /// It is a card of A2A 1.0, and names the agent's endpoint.
    Verified,
    /// It is not, or cannot be had.
    Refused,
}

/// What was found of a card, without the document.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Card {
    pub agent_id: AgentId,
    pub state: CardState,
    /// What is wrong with it.
    pub fault: Option<String>,
    pub skills: Json<Vec<AgentSkill>>,
    pub checked_at: Option<DateTime<Utc>>,
}

/// A card to be fetched.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CardFetch {
    pub agent_id: AgentId,
    pub card_url: String,
    pub endpoint_url: Option<String>,
}

/// The cards of those of these agents that have one.
pub async fn list(pool: &PgPool, agents: &[&AgentId]) -> Result<Vec<Card>, sqlx::Error> {
    sqlx::query_as(
        "select agent_id, state, fault, skills, checked_at from agent_cards where agent_id = any($1)",
    )
    .bind(agents)
    .fetch_all(pool)
    .await
}

/// The verified card of a registered agent, as it came.
pub async fn find_document(pool: &PgPool, agent: &AgentId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select agent_cards.document
         from agent_cards
         join agents_on_market using (agent_id)
         where agent_id = $1
           and state = 'verified'",
    )
    .bind(agent)
    .fetch_optional(pool)
    .await
}

/// What that fetch is to get; none if a later one took its place, or the agent has no card any more.
pub async fn find_fetch(
    executor: impl PgExecutor<'_>,
    id: CardFetchId,
) -> Result<Option<CardFetch>, sqlx::Error> {
    sqlx::query_as(
        "select agent_id, card_url, endpoint_url
         from agent_cards
         join agents using (agent_id)
         where fetch_id = $1
           and card_url is not null
           and unregistered_at is null",
    )
    .bind(id)
    .fetch_optional(executor)
    .await
}
