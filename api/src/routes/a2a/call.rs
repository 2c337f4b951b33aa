//! `POST /a2a`: JSON-RPC 2.0, of which the market takes `SendMessage`. It answers at once, so it has no tasks, streams
//! or notifications.

use axum::extract::State;
use common::agents::discovery::{self, Filters, Sort};
use common::agents::{Agent, AgentId};
use common::limits::{AGENT_QUERY_CHARS_MAX, RECOMMENDED_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contract::Bare;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::ApiState;

/// A call of JSON-RPC 2.0.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "A2aCall")]
pub struct Call {
    /// Always `2.0`.
    #[serde(rename = "jsonrpc")]
    _version: String,
    /// Comes back with the answer.
    #[serde(default)]
    id: Option<CallId>,
    /// `SendMessage`; of the others of A2A there are none.
    method: String,
    #[serde(default)]
    params: Option<Parameters>,
}

/// What a caller calls its call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "A2aCallId")]
#[serde(untagged)]
pub enum CallId {
    Number(i64),
    Text(String),
}

/// What a call comes with.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "A2aParameters")]
struct Parameters {
    #[serde(default)]
    message: Option<SentMessage>,
}

/// A message to the market.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "A2aSentMessage")]
struct SentMessage {
    /// What is said.
    #[serde(default)]
    parts: Vec<SentPart>,
}

/// A part of a message; only text is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "A2aSentPart")]
struct SentPart {
    /// Words that the agents are searched by.
    #[serde(default)]
    text: Option<String>,
}

/// An answer of JSON-RPC 2.0: a result, or an error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "A2aAnswer")]
pub struct CallAnswer {
    /// Always `2.0`.
    jsonrpc: &'static str,
    id: Option<CallId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<CallResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CallError>,
}

/// What a message led to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "A2aResult")]
struct CallResult {
    message: Message,
}

/// Why a call led to nothing.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "A2aError")]
struct CallError {
    /// A code of JSON-RPC or A2A.
    code: i32,
    /// The same for people.
    message: String,
}

/// A message of the market.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "A2aMessage")]
struct Message {
    /// Its id.
    message_id: String,
    /// Always `ROLE_AGENT`.
    role: &'static str,
    /// What is said.
    parts: Vec<Part>,
}

/// A part of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "A2aPart")]
struct Part {
    data: FoundAgents,
    /// Always `application/json`.
    media_type: &'static str,
}

/// Agents for a message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "A2aFoundAgents")]
struct FoundAgents {
    /// The best reputation first.
    agents: Vec<FoundAgent>,
}

/// An agent for a message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "A2aFoundAgent")]
struct FoundAgent {
    agent_id: AgentId,
    /// The name that people see.
    name: String,
    /// What it does, in words.
    description: String,
    /// What it can do.
    capabilities: Vec<String>,
    /// What one task costs, in minor units.
    cost_per_task_minor: i64,
    /// From 0 to 5.
    reputation: f64,
    /// Where its own card is, if it has one.
    card_url: String,
    /// Where a task is asked for.
    tasks_url: String,
}

/// A method of A2A that the market does not have.
const UNSUPPORTED: i32 = -32004;
const UNKNOWN_METHOD: i32 = -32601;
const INVALID_PARAMETERS: i32 = -32602;
const UNSUPPORTED_METHODS: [&str; 9] = [
    "SendStreamingMessage",
    "GetTask",
    "ListTasks",
    "CancelTask",
    "SubscribeToTask",
    "CreateTaskPushNotificationConfig",
    "GetTaskPushNotificationConfig",
    "ListTaskPushNotificationConfigs",
    "GetExtendedAgentCard",
];

/// Finds agents for a message.
pub async fn call_market(
    State(state): State<ApiState>,
    Json(call): Json<Call>,
) -> Result<Bare<CallAnswer>, ApiError> {
    let message = call.params.and_then(|parameters| parameters.message);
    let outcome = match call.method.as_str() {
        "SendMessage" => match words(message.as_ref()) {
            Ok(words) => Ok(find(&state, words).await?),
            Err(fault) => Err((INVALID_PARAMETERS, fault)),
        },
        method if UNSUPPORTED_METHODS.contains(&method) => {
            let message = "the market answers messages at once: it has no tasks, streams or notifications of A2A";
            Err((UNSUPPORTED, message.to_owned()))
        }
        _ => Err((UNKNOWN_METHOD, "the market takes SendMessage".to_owned())),
    };
    let (result, error) = match outcome {
        Ok(message) => (Some(CallResult { message }), None),
        Err((code, message)) => (None, Some(CallError { code, message })),
    };
    Ok(Bare(CallAnswer {
        jsonrpc: "2.0",
        id: call.id,
        result,
        error,
    }))
}

/// The text of a message.
fn words(message: Option<&SentMessage>) -> Result<String, String> {
    let parts = message.into_iter().flat_map(|message| &message.parts);
    let texts = parts.filter_map(|part| part.text.as_deref());
    let text = texts.collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        _ if text.trim().is_empty() => Err("message.parts must have text".to_owned()),
        0..=AGENT_QUERY_CHARS_MAX => Ok(text),
        _ => Err(format!(
            "the text must have at most {AGENT_QUERY_CHARS_MAX} characters"
        )),
    }
}

async fn find(state: &ApiState, words: String) -> Result<Message, ApiError> {
    let filters = Filters {
        query: Some(words),
        seen_within: Some(state.presence.time_to_live()),
        ..Filters::default()
    };
    let found = discovery::list(
        state.pool(),
        &filters,
        Sort::Reputation,
        None,
        RECOMMENDED_MAX as i64,
    );
    let agents = found.await?.agents.into_iter();
    let data = FoundAgents {
        agents: agents.map(|agent| FoundAgent::of(state, agent)).collect(),
    };
    Ok(Message {
        message_id: Uuid::now_v7().to_string(),
        role: "ROLE_AGENT",
        parts: vec![Part {
            data,
            media_type: "application/json",
        }],
    })
}

impl FoundAgent {
    fn of(state: &ApiState, agent: Agent) -> Self {
        let (base, id) = (&state.public_base_url, &agent.agent_id);
        Self {
            card_url: format!("{base}/a2a/{id}/.well-known/agent-card.json"),
            tasks_url: format!("{base}/api/agents/{id}/tasks"),
            name: agent.profile.name,
            description: agent.profile.description,
            capabilities: agent.profile.capabilities,
            cost_per_task_minor: agent.profile.cost_per_task_minor,
            reputation: agent.figures.reputation,
            agent_id: agent.agent_id,
        }
    }
}
