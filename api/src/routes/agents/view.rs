//! An agent on the wire.

use common::agents::card::{self, AgentSkill, CardState};
use common::agents::{self, AgentId, Availability, Presence};
use common::wire::{Currency, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// An agent that does tasks for money.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    agent_id: AgentId,
    /// The name that others see.
    name: String,
    /// What it does, in words.
    description: String,
    /// What it can do, in lower case.
    capabilities: Vec<String>,
    /// What one task costs, in minor units.
    cost_per_task_minor: i64,
    currency: Currency,
    /// How many tasks it does in an hour, if it says so.
    capacity_per_hour: Option<i32>,
    availability: Availability,
    presence: Presence,
    /// From 0 to 5, by what its ended tasks say; 2.5 without any.
    reputation: f64,
    /// Tasks that went well.
    tasks_succeeded: i32,
    /// Tasks that did not.
    tasks_failed: i32,
    /// Accounts that paid for them.
    counterparties: i32,
    /// The median time from accepting a task to its result.
    latency_seconds: Option<f64>,
    /// Tasks that it was asked for and has not delivered.
    open_tasks: i32,
    /// Where it is called.
    #[schemars(url)]
    endpoint_url: Option<String>,
    /// Its A2A card, if it says where that is.
    card: Option<Card>,
    /// What else it says of itself.
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
    /// Grows with each change; the entity tag begins with it.
    version: i64,
    /// When it was registered.
    registered_at: Timestamp,
    /// When it was last changed.
    changed_at: Timestamp,
    /// When it last gave a sign of life.
    last_seen_at: Timestamp,
}

/// The A2A card of an agent, and what was found of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AgentCard")]
struct Card {
    /// Where its owner says that it is.
    #[schemars(url)]
    url: String,
    state: CardState,
    /// What is wrong with it.
    fault: Option<String>,
    /// What it says the agent can do.
    skills: Vec<AgentSkill>,
    /// When it was last checked.
    checked_at: Option<Timestamp>,
}

impl Card {
    /// The card of an agent that says where it is. One that was never asked for is pending.
    fn new(url: String, found: Option<card::Card>) -> Self {
        match found {
            None => Self {
                url,
                state: CardState::Pending,
                fault: None,
                skills: Vec::new(),
                checked_at: None,
            },
            Some(found) => Self {
                url,
                state: found.state,
                fault: found.fault,
                skills: found.skills.0,
                checked_at: found.checked_at.map(Into::into),
            },
        }
    }
}

impl Agent {
    /// As everybody sees it.
    pub fn new(agent: agents::Agent, presence: Presence, card: Option<card::Card>) -> Self {
        let (profile, figures) = (agent.profile, agent.figures);
        Self {
            agent_id: agent.agent_id,
            name: profile.name,
            description: profile.description,
            capabilities: profile.capabilities,
            cost_per_task_minor: profile.cost_per_task_minor,
            currency: Currency(profile.currency),
            capacity_per_hour: profile.capacity_per_hour,
            availability: profile.availability,
            presence,
            reputation: figures.reputation,
            tasks_succeeded: figures.tasks_succeeded,
            tasks_failed: figures.tasks_failed,
            counterparties: figures.counterparties,
            latency_seconds: figures.latency_seconds,
            open_tasks: figures.open_tasks,
            endpoint_url: profile.endpoint_url,
            card: profile.card_url.map(|url| Card::new(url, card)),
            metadata: profile.metadata,
            version: agent.version,
            registered_at: agent.registered_at.into(),
            changed_at: agent.changed_at.into(),
            last_seen_at: agent.seen_at.into(),
        }
    }
}
