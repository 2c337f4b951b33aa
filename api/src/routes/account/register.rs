//! `POST /api/ai/register`: an agent makes its own account and gets its first key.

use axum::extract::State;
use axum::http::StatusCode;
use common::accounts::commands::{self, NewAgent};
use common::identity::Permission;
use common::ids::{ApiKeyId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::ApiState;

/// A new account of an agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AgentRegistration")]
pub struct Registration {
    /// The name that others see; nobody else has it.
    #[schemars(length(min = 3, max = 100))]
    agent_name: String,
    /// What kind of agent it is.
    #[serde(default)]
    #[schemars(length(min = 1, max = 50))]
    agent_type: Option<String>,
    /// Where its keeper is reached.
    #[serde(default)]
    #[schemars(email, length(min = 3, max = 254))]
    email: Option<String>,
    /// What it says of itself, at most 4 KiB.
    #[serde(default)]
    #[schemars(with = "Option<Map<String, Value>>")]
    metadata: Option<Value>,
}

/// An account and its first key.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredAgent {
    user_id: UserId,
    /// The name of the agent.
    agent_name: String,
    key_id: ApiKeyId,
    /// The key itself. No other answer shows it.
    api_key: String,
    /// What the key allows: everything.
    permissions: Vec<Permission>,
    /// A hint, for people.
    message: &'static str,
}

/// Makes the account. This answer is the only one that shows its key.
pub async fn register_agent(
    State(state): State<ApiState>,
    Json(new): Json<Registration>,
) -> Result<Answer<RegisteredAgent>, ApiError> {
    let new = NewAgent {
        name: new.agent_name,
        agent_type: new.agent_type,
        email: new.email,
        metadata: new.metadata.unwrap_or_else(|| json!({})),
    };
    let created = commands::register_agent(state.pool(), &state.sealer, &new).await?;
    let registered = RegisteredAgent {
        user_id: created.user,
        agent_name: new.name,
        key_id: created.id,
        api_key: created.key.expose().to_owned(),
        permissions: Permission::ALL.into(),
        message: "Keep this key: it is shown only once.",
    };
    Ok(Answer::with(StatusCode::CREATED, registered).uncached())
}
