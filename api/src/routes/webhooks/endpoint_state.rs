//! `POST .../enable` and `POST .../disable` of an endpoint.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use common::limits::REASON_CHARS_MAX;
use common::webhooks::endpoints;
use common::webhooks::endpoints::commands::{self, Held};
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint_body::shown;
use super::endpoint_id;
use super::endpoints::answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path, moment};
use crate::middleware::RequestId;
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// What becomes of the events that were held.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Enabling {
    held: HeldChoice,
    #[serde(deserialize_with = "moment::optional")]
    since: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HeldChoice {
    #[default]
    Replay,
    Since,
    Drop,
}

/// Sends to a disabled endpoint again; what was held is sent by a recovery, unless it is to be dropped.
pub async fn enable_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Path(id): Path<String>,
    body: Option<Json<Enabling>>,
) -> Result<Response, ApiError> {
    let id = endpoint_id(&id)?;
    let held = held(&body.map(|Json(body)| body).unwrap_or_default())?;
    let recovery = commands::enable(&state.outbox, id, principal.user, held, &request_id).await?;
    let endpoint = endpoints::find(state.pool(), id, principal.user).await?;
    let mut data = shown(&endpoint);
    data["recoveryId"] = json!(recovery);
    data["recoveryUrl"] = recovery.map_or(Value::Null, |id| {
        format!("/api/ai/webhooks/recoveries/{id}").into()
    });
    Ok(success(StatusCode::OK, data))
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
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disabling {
    reason: Option<String>,
}

/// Sends nothing more to an endpoint; its events are held.
pub async fn disable_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    body: Option<Json<Disabling>>,
) -> Result<Response, ApiError> {
    let id = endpoint_id(&id)?;
    let reason = body.and_then(|Json(body)| body.reason);
    let reason = free_text::optional("reason", reason.as_deref(), REASON_CHARS_MAX)?;
    let reason = reason.as_deref().unwrap_or("disabled by its owner");
    commands::disable(&state.outbox, id, principal.user, reason).await?;
    let endpoint = endpoints::find(state.pool(), id, principal.user).await?;
    Ok(answer(&endpoint))
}
