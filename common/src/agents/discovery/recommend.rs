//! Recommendations: a score with its reasons, and round robin among those who are as good as each other.
//!
//! An agent is scored by its reputation (0.45), its price against the budget (0.2), its room for more (0.2) and what
//! the two owners did for each other before (0.15), each from 0 to 1. Those within a twentieth of the best score are as
//! good as each other, and are chosen by round robin. `docs/agents.md` says the same to clients.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgPool;

use super::browse::{Filters, Match, Sort, list};
use crate::agents::{Agent, AgentId, Availability, PresenceBoard};
use crate::ids::UserId;
use crate::limits::RECOMMENDED_FROM_MAX;

const REPUTATION: f64 = 0.45;
const PRICE: f64 = 0.2;
const ROOM: f64 = 0.2;
const DEALINGS: f64 = 0.15;
/// Who has this part of the best score is as good as the best.
const EQUAL: f64 = 0.95;
/// Tasks that an agent has room for if it does not say.
const ROOM_TASKS: f64 = 10.0;

/// What somebody wants done.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// As capabilities are kept.
    pub capability: String,
    pub budget_minor: Option<i64>,
    /// How many agents to name.
    pub top: usize,
    /// Who wants it, if that is known: whose agents are left out, and with whom one has dealt.
    pub by: Option<UserId>,
    /// Agents that say that they are busy too.
    pub with_busy: bool,
    /// An agent without a sign of life within this time is away.
    pub seen_within: Duration,
}

/// An agent, and why.
#[derive(Debug, Clone)]
pub struct Recommendation {
    pub agent: Agent,
    pub why: Why,
}

/// What a score is made of. Each part is from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Why {
    pub score: f64,
    pub reputation: f64,
    /// How much of the budget is left.
    pub price: f64,
    /// How much room it has for more.
    pub room: f64,
    /// How well the dealings of the two owners went.
    pub dealings: f64,
    /// Whether round robin chose it among equals.
    pub is_by_round_robin: bool,
}

/// What two owners did for each other: tasks that went well, of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dealings {
    pub good: i64,
    pub all: i64,
}

/// Whom to ask, the best first.
pub async fn recommend(
    pool: &PgPool,
    board: &PresenceBoard,
    wanted: &Wanted,
) -> Result<Vec<Recommendation>, sqlx::Error> {
    let filters = Filters {
        capabilities: vec![wanted.capability.clone()],
        capability_match: Match::All,
        cost_max_minor: wanted.budget_minor,
        availability: (!wanted.with_busy).then_some(Availability::Online),
        seen_within: Some(wanted.seen_within),
        not_of: wanted.by,
        ..Filters::default()
    };
    let found = list(pool, &filters, Sort::Reputation, None, RECOMMENDED_FROM_MAX).await?;
    let takes_tasks = |agent: &Agent| {
        use Availability::{Busy, Online};
        matches!(agent.profile.availability, Online | Busy)
    };
    let agents: Vec<Agent> = found.agents.into_iter().filter(takes_tasks).collect();
    let dealings = match wanted.by {
        Some(by) => dealings(pool, by, &agents).await?,
        None => HashMap::new(),
    };
    let ranked = rank(agents, wanted.budget_minor, &dealings);
    Ok(choose(board, wanted, ranked).await)
}

/// How those whom somebody paid before did for them.
async fn dealings(
    pool: &PgPool,
    payer: UserId,
    agents: &[Agent],
) -> Result<HashMap<UserId, Dealings>, sqlx::Error> {
    let owners: Vec<UserId> = agents.iter().map(|agent| agent.owner_id).collect();
    let rows: Vec<(UserId, i64, i64)> = sqlx::query_as(
        "select provider_id, count(*) filter (where state in ('settled', 'resolved_release')), count(*)
         from agent_tasks
         where payer_id = $1
           and provider_id = any($2)
           and accepted_at is not null
           and ended_at is not null
         group by provider_id",
    )
    .bind(payer)
    .bind(owners)
    .fetch_all(pool)
    .await?;
    let dealings = rows
        .into_iter()
        .map(|(owner, good, all)| (owner, Dealings { good, all }));
    Ok(dealings.collect())
}

/// All of them, the best first.
fn rank(
    agents: Vec<Agent>,
    budget_minor: Option<i64>,
    dealings: &HashMap<UserId, Dealings>,
) -> Vec<Recommendation> {
    // Without a budget the dearest of them is the measure.
    let dearest = agents.iter().map(|agent| agent.profile.cost_per_task_minor);
    let measure = budget_minor.or_else(|| dearest.max()).unwrap_or_default();
    let mut ranked: Vec<Recommendation> = agents
        .into_iter()
        .map(|agent| {
            let before = dealings.get(&agent.owner_id).copied().unwrap_or_default();
            Recommendation {
                why: Why::of(&agent, measure, before),
                agent,
            }
        })
        .collect();
    ranked.sort_by(|one, other| {
        let by_score = other.why.score.total_cmp(&one.why.score);
        by_score.then_with(|| one.agent.agent_id.cmp(&other.agent.agent_id))
    });
    ranked
}

impl Why {
    /// What speaks for an agent, where so much money is the measure.
    pub fn of(agent: &Agent, measure_minor: i64, before: Dealings) -> Self {
        let figures = &agent.figures;
        let capacity = agent.profile.capacity_per_hour;
        let capacity = capacity.map_or(ROOM_TASKS, f64::from);
        let reputation = figures.reputation / 5.0;
        let cost = agent.profile.cost_per_task_minor as f64;
        let price = match measure_minor {
            0 => 1.0,
            measure => 1.0 - (cost / measure as f64).min(1.0),
        };
        let room = 1.0 - (f64::from(figures.open_tasks) / capacity).min(1.0);
        // As reputation: a prior of two tasks, of which one went well.
        let dealings = (before.good as f64 + 1.0) / (before.all as f64 + 2.0);
        Self {
            score: REPUTATION * reputation + PRICE * price + ROOM * room + DEALINGS * dealings,
            reputation,
            price,
            room,
            dealings,
            is_by_round_robin: false,
        }
    }
}

/// The first of them; where equals compete for places, those that were chosen least.
async fn choose(
    board: &PresenceBoard,
    wanted: &Wanted,
    mut ranked: Vec<Recommendation>,
) -> Vec<Recommendation> {
    let best = ranked.first().map_or(0.0, |first| first.why.score);
    let equals = ranked
        .iter()
        .take_while(|each| each.why.score >= EQUAL * best)
        .count();
    if equals > 1 {
        let ids: Vec<&AgentId> = ranked[..equals]
            .iter()
            .map(|each| &each.agent.agent_id)
            .collect();
        let count = wanted.top.min(equals);
        let chosen = board.round_robin(&wanted.capability, &ids, count).await;
        let place = |each: &Recommendation| chosen.iter().position(|id| *id == each.agent.agent_id);
        ranked[..equals].sort_by_key(|each| place(each).unwrap_or(usize::MAX));
        for each in &mut ranked[..count] {
            each.why.is_by_round_robin = true;
        }
    }
    ranked.truncate(wanted.top);
    ranked
}
