//! An agent as its owner sends it.

use common::agents::{AgentId, Availability, ProfileChanges};
use common::limits::{
    AGENT_CAPACITY_MAX, AGENT_DESCRIPTION_CHARS_MAX, AGENT_NAME_CHARS_MAX, CAPABILITIES_MAX,
};
use common::merge_patch::Patch;
use common::money::PRICE_MINOR_MAX;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::extract::set_or_keep;

/// A new agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AgentRequest")]
pub struct AgentBody {
    /// Its id, for ever. Ids that differ in case alone are one.
    pub agent_id: AgentId,
    /// The name that others see.
    #[schemars(length(min = 1, max = AGENT_NAME_CHARS_MAX))]
    name: String,
    /// What it does, in words.
    #[serde(default)]
    #[schemars(length(max = AGENT_DESCRIPTION_CHARS_MAX))]
    description: Option<String>,
    /// What it can do. Case, width and spaces around do not count.
    #[schemars(length(min = 1, max = CAPABILITIES_MAX), extend("examples" = [["image to text"]]))]
    capabilities: Vec<String>,
    /// What one task costs, in minor units.
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    cost_per_task_minor: i64,
    /// How many tasks it does in an hour; null if it does not say.
    #[serde(default)]
    #[schemars(range(min = 1, max = AGENT_CAPACITY_MAX))]
    capacity_per_hour: Option<i64>,
    /// `online` if nothing is said.
    #[serde(default)]
    availability: Option<Availability>,
    /// Where it is called: https, and public.
    #[serde(default)]
    #[schemars(url)]
    endpoint_url: Option<String>,
    /// Where its A2A card is: https, and public. It is fetched and checked.
    #[serde(default)]
    #[schemars(url)]
    card_url: Option<String>,
    /// What else it says of itself, at most 4 KiB.
    #[serde(default)]
    #[schemars(with = "Option<Map<String, Value>>")]
    metadata: Option<Value>,
}

impl AgentBody {
    /// What it says, as changes to an agent of which nothing is said.
    pub fn changes(self) -> ProfileChanges {
        ProfileChanges {
            name: Some(self.name),
            description: set_if_any(self.description),
            capabilities: Some(self.capabilities),
            cost_per_task_minor: Some(self.cost_per_task_minor),
            capacity_per_hour: set_if_any(self.capacity_per_hour),
            availability: self.availability,
            endpoint_url: set_if_any(self.endpoint_url),
            card_url: set_if_any(self.card_url),
            metadata: set_if_any(self.metadata),
        }
    }
}

fn set_if_any<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Keep, Patch::Set)
}

/// What to change of an agent, as a merge patch.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AgentChanges")]
pub struct ChangesBody {
    /// The name that others see.
    #[schemars(length(min = 1, max = AGENT_NAME_CHARS_MAX))]
    name: Patch<String>,
    /// What it does, in words; null for nothing.
    #[schemars(length(max = AGENT_DESCRIPTION_CHARS_MAX))]
    description: Patch<String>,
    /// What it can do, replaced as a whole.
    #[schemars(length(min = 1, max = CAPABILITIES_MAX), extend("examples" = [["image to text"]]))]
    capabilities: Patch<Vec<String>>,
    /// What one task costs, in minor units.
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    cost_per_task_minor: Patch<i64>,
    /// How many tasks it does in an hour; null if it does not say.
    #[schemars(range(min = 1, max = AGENT_CAPACITY_MAX))]
    capacity_per_hour: Patch<i64>,
    availability: Patch<Availability>,
    /// Where it is called: https, and public; null for nowhere.
    #[schemars(url)]
    endpoint_url: Patch<String>,
    /// Where its A2A card is: https, and public; null for nowhere.
    #[schemars(url)]
    card_url: Patch<String>,
    /// What else it says of itself, replaced as a whole; null for nothing.
    #[schemars(with = "Option<Map<String, Value>>")]
    metadata: Patch<Value>,
}

impl ChangesBody {
    /// The changes; null where there is always a value is a fault.
    pub fn changes(self) -> Result<ProfileChanges, ApiError> {
        let mut faults = Vec::new();
        let changes = ProfileChanges {
            name: set_or_keep(self.name, "name", &mut faults),
            description: self.description,
            capabilities: set_or_keep(self.capabilities, "capabilities", &mut faults),
            cost_per_task_minor: set_or_keep(
                self.cost_per_task_minor,
                "costPerTaskMinor",
                &mut faults,
            ),
            capacity_per_hour: self.capacity_per_hour,
            availability: set_or_keep(self.availability, "availability", &mut faults),
            endpoint_url: self.endpoint_url,
            card_url: self.card_url,
            metadata: self.metadata,
        };
        if faults.is_empty() {
            Ok(changes)
        } else {
            Err(ApiError::fields(&faults))
        }
    }
}

/// A sign of life.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "AgentHeartbeat")]
pub struct HeartbeatBody {
    /// Whether it takes tasks, if that has changed.
    pub availability: Option<Availability>,
}
