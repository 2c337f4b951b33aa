//! An agent on the wire.

use common::agents::{self, AgentId, Availability, Presence};
use common::wire::{Currency, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::contract::Answer;
use crate::entity_tag::Tagged;

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
    /// Where it is called.
    #[schemars(url)]
    endpoint_url: Option<String>,
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

impl Agent {
    /// As everybody sees it.
    pub fn new(agent: agents::Agent, presence: Presence) -> Self {
        let profile = agent.profile;
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
            endpoint_url: profile.endpoint_url,
            metadata: profile.metadata,
            version: agent.version,
            registered_at: agent.registered_at.into(),
            changed_at: agent.changed_at.into(),
            last_seen_at: agent.seen_at.into(),
        }
    }
}

/// One agent with its entity tag.
pub fn answer(agent: agents::Agent, presence: Presence) -> Answer<Agent> {
    let tag = Tagged::at(agent.version);
    Answer::ok(Agent::new(agent, presence)).tagged(tag)
}
