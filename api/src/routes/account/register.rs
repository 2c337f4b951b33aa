//! `POST /api/ai/register`: an agent makes its own account and gets its first key.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::accounts::commands::{self, NewAgent};
use common::identity::Permission;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::Json;
use crate::routes::success;
use crate::state::ApiState;

/// An agent to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    agent_name: String,
    #[serde(default)]
    agent_type: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    metadata: Option<Value>,
}

/// Makes the account. This answer is the only one that shows its key.
pub async fn register_agent(
    State(state): State<ApiState>,
    Json(new): Json<Registration>,
) -> Result<Response, ApiError> {
    let new = NewAgent {
        name: new.agent_name,
        agent_type: new.agent_type,
        email: new.email,
        metadata: new.metadata.unwrap_or_else(|| json!({})),
    };
    let created = commands::register_agent(state.pool(), &state.sealer, &new).await?;
    let data = json!({
        "userId": created.user,
        "agentName": new.name,
        "keyId": created.id,
        "apiKey": created.key.expose(),
        "permissions": Permission::ALL,
        "message": "Keep this key: it is shown only once.",
    });
    let mut response = success(StatusCode::CREATED, data);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
