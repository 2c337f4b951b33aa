//! What the participants of a task send.

use common::agent_tasks::Evidence;
use common::agents::AgentId;
use common::limits::{REASON_CHARS_MAX, TASK_EVIDENCE_BYTES_MAX};
use common::money::PRICE_MINOR_MAX;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// A task to be asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentTaskRequest {
    /// The agent that pays, which is yours.
    pub payer_agent_id: AgentId,
    /// What is to be done: a capability of the agent.
    pub capability: String,
    /// What it costs, in minor units, as the agent says; another price is refused.
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    pub amount_minor: i64,
    /// What the agent needs to know, at most 16 KiB.
    #[serde(default)]
    pub context: Map<String, Value>,
}

/// Why a task is not done.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeclineRequest {
    /// The reason, which the payer reads.
    #[schemars(length(max = REASON_CHARS_MAX))]
    pub reason: Option<String>,
}

/// What a task led to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRequest {
    /// What the payer gets, at most 64 KiB.
    pub result: Map<String, Value>,
}

/// Why a result is not taken.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDisputeRequest {
    /// What is wrong, in words.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    pub reason: String,
    /// What shows it, at most 16 KiB.
    #[serde(default)]
    pub evidence: Option<Evidence>,
}

/// What a payer thinks of a task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingRequest {
    /// One to five stars.
    #[schemars(range(min = 1, max = 5))]
    pub stars: i16,
}

/// What speaks for a participant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskEvidenceRequest {
    /// The evidence, at most 16 KiB.
    pub evidence: Evidence,
}

/// An object that is not too long.
pub fn bounded(
    field: &str,
    value: Map<String, Value>,
    bytes_max: usize,
) -> Result<Map<String, Value>, ApiError> {
    let bytes = serde_json::to_string(&value)
        .expect("JSON serialises")
        .len();
    if bytes <= bytes_max {
        return Ok(value);
    }
    let fault = format!("must be at most {bytes_max} bytes, and is {bytes}");
    Err(ApiError::fields(&[FieldFault::new(field, fault)]))
}

/// Evidence that is not too long.
pub fn evidence(evidence: Evidence) -> Result<Evidence, ApiError> {
    bounded("evidence", evidence, TASK_EVIDENCE_BYTES_MAX)
}
