//! `POST .../enable` and `POST .../disable` of an endpoint.

use axum::Extension;
use axum::extract::State;
use chrono::{DateTime, Utc};
use common::ids::RecoveryId;
use common::limits::REASON_CHARS_MAX;
use common::webhooks::endpoints;
use common::webhooks::endpoints::commands::{self, Held};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint_id;
use super::endpoint_view::{Endpoint, answer};
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path, moment};
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::state::ApiState;

/// What becomes of the events that were held.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "EndpointEnabling")]
pub struct Enabling {
    held: HeldChoice,
    /// With `held: since`: events of this time and later are sent, the others dropped.
    #[serde(deserialize_with = "moment::optional")]
    since: Option<DateTime<Utc>>,
}

/// What becomes of the events that were held.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "HeldEvents")]
enum HeldChoice {
    /// They are sent.
    #[default]
    Replay,
    /// Those since a time are sent.
    Since,
    /// They are dropped.
    Drop,
}

/// An endpoint right after it was enabled.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnabledEndpoint {
    #[serde(flatten)]
    endpoint: Endpoint,
    /// The recovery that sends what was held.
    recovery_id: Option<RecoveryId>,
    /// Where it is followed.
    recovery_url: Option<String>,
}

/// Sends to a disabled endpoint again; what was held is sent by a recovery, unless it is to be dropped.
pub async fn enable_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Path(id): Path<String>,
    body: Option<Json<Enabling>>,
) -> Result<Answer<EnabledEndpoint>, ApiError> {
    let id = endpoint_id(&id)?;
    let held = held(&body.map(|Json(body)| body).unwrap_or_default())?;
    let recovery = commands::enable(&state.outbox, id, principal.user, held, &request_id).await?;
    let endpoint = endpoints::find(state.pool(), id, principal.user).await?;
    Ok(Answer::ok(EnabledEndpoint {
        endpoint: Endpoint::from(&endpoint),
        recovery_id: recovery,
        recovery_url: recovery.map(|id| format!("/api/ai/webhooks/recoveries/{id}")),
    }))
}

fn held(body: &Enabling) -> Result<Held, ApiError> {
    match (body.held, body.since) {
        (HeldChoice::Replay, None) => Ok(Held::Replay),
        (HeldChoice::Drop, None) => Ok(Held::Drop),
        (HeldChoice::Since, Some(since)) => Ok(Held::Since(since)),
        _ => {
            let fault = "goes with held = since, and only with it";
            Err(ApiError::new(Code::InvalidInput, format!("since {fault}.")).field("since", fault))
        }
    }
}

/// Why.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "EndpointDisabling")]
pub struct Disabling {
    /// Noted, and sent to your other endpoints.
    reason: Option<String>,
}

/// Sends nothing more to an endpoint; its events are held.
pub async fn disable_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    body: Option<Json<Disabling>>,
) -> Result<Answer<Endpoint>, ApiError> {
    let id = endpoint_id(&id)?;
    let reason = body.and_then(|Json(body)| body.reason);
    let reason = free_text::optional("reason", reason.as_deref(), REASON_CHARS_MAX)?;
    let reason = reason.as_deref().unwrap_or("disabled by its owner");
    commands::disable(&state.outbox, id, principal.user, reason).await?;
    let endpoint = endpoints::find(state.pool(), id, principal.user).await?;
    Ok(answer(&endpoint))
}
