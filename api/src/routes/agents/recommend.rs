//! `GET /api/agents/recommend`: whom to ask, and why.

use axum::extract::State;
use common::agents::discovery::{self, Wanted, Why};
use common::agents::normalised_capability;
use common::limits::RECOMMENDED_MAX;
use common::money::PRICE_MINOR_MAX;
use common::telemetry::metrics;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::discover::shown;
use super::view::Agent;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Query};
use crate::state::ApiState;

const TOP: usize = 3;

/// What is to be done, and for how much.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecommendationQuery {
    /// What is to be done: a capability.
    capability: String,
    /// What it may cost, in minor units.
    #[serde(default)]
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    budget_minor: Option<i64>,
    /// How many agents to name.
    #[serde(default)]
    #[schemars(range(min = 1, max = RECOMMENDED_MAX), extend("default" = 3))]
    top: Option<usize>,
    /// Whether those that say that they are busy are named too.
    #[serde(default)]
    include_busy: bool,
}

/// Whom to ask, the best first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecommendationList {
    recommendations: Vec<Recommendation>,
}

/// An agent to ask.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AgentRecommendation")]
struct Recommendation {
    agent: Agent,
    why: Reasons,
}

/// What speaks for it. Each part is from 0 to 1.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RecommendationReasons")]
struct Reasons {
    /// 0.45 of reputation, 0.2 of price, 0.2 of room and 0.15 of dealings.
    score: f64,
    /// Its reputation, as a part of 5.
    reputation: f64,
    /// How much of the budget is left; without one, against the dearest that was looked at.
    price: f64,
    /// How much room it has for more tasks.
    room: f64,
    /// How well the tasks of your account with its owner went; 0.5 without any.
    dealings: f64,
    /// Whether round robin chose it among agents that are within a twentieth of the best.
    by_round_robin: bool,
    /// The same for people.
    explanation: String,
}

/// Whom to ask. Agents that are as good as each other are named by round robin.
pub async fn recommend_agents(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Query(query): Query<RecommendationQuery>,
) -> Result<Answer<RecommendationList>, ApiError> {
    let wanted = Wanted {
        by: caller.map(|caller| caller.user),
        seen_within: state.presence.time_to_live(),
        ..query.wanted()?
    };
    let found = discovery::recommend(state.pool(), &state.presence, &wanted).await?;
    let market = &metrics().market;
    let label = market.label(&wanted.capability, !found.is_empty());
    market.recommendations.with_label_values(&[label]).inc();
    let (agents, reasons): (Vec<_>, Vec<_>) =
        found.into_iter().map(|each| (each.agent, each.why)).unzip();
    let agents = shown(&state, agents).await?;
    let named = agents.into_iter().zip(reasons);
    let recommendations = named.map(|(agent, why)| Recommendation {
        agent,
        why: why.into(),
    });
    Ok(Answer::ok(RecommendationList {
        recommendations: recommendations.collect(),
    })
    .uncached())
}

impl RecommendationQuery {
    fn wanted(self) -> Result<Wanted, ApiError> {
        let fault =
            |field: &str, fault: String| Err(ApiError::fields(&[FieldFault::new(field, fault)]));
        let top = self.top.unwrap_or(TOP);
        if !(1..=RECOMMENDED_MAX).contains(&top) {
            return fault("top", format!("must be from 1 to {RECOMMENDED_MAX}"));
        }
        let budget_range = 0..=PRICE_MINOR_MAX;
        if self
            .budget_minor
            .is_some_and(|budget| !budget_range.contains(&budget))
        {
            return fault(
                "budgetMinor",
                format!("must be from 0 to {PRICE_MINOR_MAX}"),
            );
        }
        Ok(Wanted {
            capability: normalised_capability(&self.capability),
            budget_minor: self.budget_minor,
            top,
            by: None,
            with_busy: self.include_busy,
            seen_within: std::time::Duration::ZERO,
        })
    }
}

impl From<Why> for Reasons {
    fn from(why: Why) -> Self {
        let percent = |part: f64| (part * 100.0).round();
        let chosen = if why.is_by_round_robin {
            "; as good as others, by round robin"
        } else {
            ""
        };
        let explanation = format!(
            "reputation {} %, price {} %, room {} %, dealings {} %{chosen}",
            percent(why.reputation),
            percent(why.price),
            percent(why.room),
            percent(why.dealings),
        );
        Self {
            score: why.score,
            reputation: why.reputation,
            price: why.price,
            room: why.room,
            dealings: why.dealings,
            by_round_robin: why.is_by_round_robin,
            explanation,
        }
    }
}
