//! `POST /api/ai/webhooks/endpoints/{endpointId}/rotate-secret`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::limits::{SECRET_OVERLAP_SECONDS, SECRET_OVERLAP_SECONDS_MAX};
use common::secrecy::ExposeSecret as _;
use common::webhooks::endpoints::commands;
use serde::Deserialize;
use serde_json::json;

use super::endpoint_body::secret;
use super::endpoint_id;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path};
use crate::routes::success;
use crate::state::ApiState;

/// The new secret, and how long the old ones sign beside it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    secret: Option<String>,
    overlap_seconds: Option<u64>,
}

/// Gives an endpoint a new secret, which is in this answer and in no other.
pub async fn rotate_secret(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    body: Option<Json<Rotation>>,
) -> Result<Response, ApiError> {
    let id = endpoint_id(&id)?;
    let rotation = body.map(|Json(body)| body).unwrap_or_default();
    let overlap = rotation.overlap_seconds.unwrap_or(SECRET_OVERLAP_SECONDS);
    if overlap > SECRET_OVERLAP_SECONDS_MAX {
        let fault = format!("must be at most {SECRET_OVERLAP_SECONDS_MAX}");
        let message = format!("overlapSeconds {fault}.");
        return Err(ApiError::new(Code::InvalidInput, message).field("overlapSeconds", fault));
    }
    let secret = commands::rotate_secret(
        &state.outbox,
        &state.sealer,
        id,
        principal.user,
        secret(rotation.secret)?,
        Duration::from_secs(overlap),
    )
    .await?;
    let body = json!({
        "endpointId": id,
        "secret": secret.to_text().expose_secret(),
        "overlapSeconds": overlap,
    });
    Ok(success(StatusCode::OK, body))
}
