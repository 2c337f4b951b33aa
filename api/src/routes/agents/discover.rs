//! `GET /api/agents` and `/api/agents/capabilities`: who is there, and what they can do.

use std::time::{Duration, Instant};

use axum::extract::State;
use common::agents::discovery::{self, CapabilitySummary, Cursor, Filters, Match, Sort};
use common::agents::{self, AgentId, Availability, card, normalised_capability};
use common::identity::Principal;
use common::limits::{AGENT_QUERY_CHARS_MAX, CAPABILITIES_MAX};
use common::money::PRICE_MINOR_MAX;
use common::telemetry::metrics;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::view::Agent;
use crate::contract::Ready;
use crate::error::{ApiError, Code};
use crate::extract::{MaybeCaller, Query};
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Whom to look for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentQuery {
    /// Capabilities that it has, separated by commas.
    capabilities: Option<String>,
    /// Whether it needs one of them, or all; `any` if nothing is said.
    r#match: Match,
    /// What a task costs at most, in minor units.
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    max_cost_minor: Option<i64>,
    /// Only those that say this of themselves.
    availability: Option<Availability>,
    /// Only those that are present, as their heartbeats say.
    present: bool,
    /// Its reputation at least.
    #[schemars(range(min = 0, max = 5))]
    min_reputation: Option<f64>,
    /// Words of its name, capabilities, skills and description.
    #[schemars(length(max = AGENT_QUERY_CHARS_MAX))]
    query: Option<String>,
    /// Only your own, which needs a key or a session.
    mine: bool,
    /// The order; the best reputation first if nothing is said.
    sort: Sort,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// A page of agents.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentPage {
    agents: Vec<Agent>,
    next_cursor: NextCursor,
}

/// The capabilities on the market.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CapabilityList {
    /// Those that most agents have, first.
    capabilities: Vec<CapabilitySummary>,
}

/// A page of the agents on the market.
pub async fn list_agents(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Query(query): Query<AgentQuery>,
) -> Result<Ready<AgentPage>, ApiError> {
    let (sort, limit) = (query.sort, page::rows(query.limit)?);
    let after = page::cursor(query.cursor.as_ref(), Cursor::parse)?;
    let filters = query.filters(state.presence.time_to_live(), caller.as_ref())?;
    let asked = format!("{filters:?} {sort:?} {after:?} {limit}");
    let begun = Instant::now();
    let make = async {
        let found = discovery::list(state.pool(), &filters, sort, after.as_ref(), limit).await?;
        count(&filters, &found.agents, begun);
        Ok(AgentPage {
            agents: shown(&state, found.agents).await?,
            next_cursor: NextCursor::new(found.next),
        })
    };
    state.agent_lists.answer(asked, make).await
}

/// The capabilities that most agents have.
pub async fn list_capabilities(
    State(state): State<ApiState>,
) -> Result<Ready<CapabilityList>, ApiError> {
    let make = async {
        let capabilities = discovery::capabilities(state.pool()).await?;
        Ok(CapabilityList { capabilities })
    };
    state
        .agent_lists
        .answer("capabilities".to_owned(), make)
        .await
}

/// Counts a list that was looked up.
fn count(filters: &Filters, found: &[agents::Agent], begun: Instant) {
    let market = &metrics().market;
    let label = match filters.capabilities.first() {
        None => "none",
        Some(capability) => {
            let has = |agent: &agents::Agent| agent.profile.capabilities.contains(capability);
            market.label(capability, found.iter().any(has))
        }
    };
    market.searches.with_label_values(&[label]).inc();
    market.search_seconds.observe(begun.elapsed().as_secs_f64());
    market.results.observe(found.len() as f64);
}

/// Agents as everybody sees them, in their order.
pub async fn shown(state: &ApiState, agents: Vec<agents::Agent>) -> Result<Vec<Agent>, ApiError> {
    let ids: Vec<&AgentId> = agents.iter().map(|agent| &agent.agent_id).collect();
    let presence = state.presence.of(&ids).await;
    let mut cards = card::list(state.pool(), &ids).await?;
    let shown = agents.into_iter().zip(presence).map(|(agent, presence)| {
        let place = cards
            .iter()
            .position(|card| card.agent_id == agent.agent_id);
        Agent::new(agent, presence, place.map(|place| cards.swap_remove(place)))
    });
    Ok(shown.collect())
}

impl AgentQuery {
    fn filters(
        self,
        time_to_live: Duration,
        caller: Option<&Principal>,
    ) -> Result<Filters, ApiError> {
        let fault =
            |field: &str, fault: String| Err(ApiError::fields(&[FieldFault::new(field, fault)]));
        let capabilities = capability_list(self.capabilities.as_deref());
        if capabilities.len() > CAPABILITIES_MAX {
            return fault(
                "capabilities",
                format!("must name at most {CAPABILITIES_MAX}"),
            );
        }
        let cost_range = 0..=PRICE_MINOR_MAX;
        if self
            .max_cost_minor
            .is_some_and(|cost| !cost_range.contains(&cost))
        {
            return fault(
                "maxCostMinor",
                format!("must be from 0 to {PRICE_MINOR_MAX}"),
            );
        }
        if self
            .min_reputation
            .is_some_and(|least| !(0.0..=5.0).contains(&least))
        {
            return fault("minReputation", "must be from 0 to 5".to_owned());
        }
        let query = self.query.filter(|query| !query.trim().is_empty());
        if query
            .as_ref()
            .is_some_and(|query| query.chars().count() > AGENT_QUERY_CHARS_MAX)
        {
            return fault(
                "query",
                format!("must have at most {AGENT_QUERY_CHARS_MAX} characters"),
            );
        }
        let owner = match (self.mine, caller) {
            (true, Some(caller)) => Some(caller.user),
            (true, None) => {
                let message = "Send a key or a session to list your own agents.";
                return Err(ApiError::new(Code::Unauthorized, message));
            }
            (false, _) => None,
        };
        Ok(Filters {
            capabilities,
            capability_match: self.r#match,
            cost_max_minor: self.max_cost_minor,
            availability: self.availability,
            seen_within: self.present.then_some(time_to_live),
            reputation_min: self.min_reputation,
            query,
            owner,
            not_of: None,
        })
    }
}

/// Capabilities as they are kept, in one order.
fn capability_list(text: Option<&str>) -> Vec<String> {
    let named = text.into_iter().flat_map(|text| text.split(','));
    let mut capabilities: Vec<String> = named
        .map(normalised_capability)
        .filter(|capability| !capability.is_empty())
        .collect();
    capabilities.sort();
    capabilities.dedup();
    capabilities
}
