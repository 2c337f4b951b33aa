//! `POST /api/ai/webhooks/endpoints/{endpointId}/rotate-secret`.

use std::time::Duration;

use axum::extract::State;
use common::ids::EndpointId;
use common::limits::{SECRET_OVERLAP_SECONDS, SECRET_OVERLAP_SECONDS_MAX};
use common::secrecy::ExposeSecret as _;
use common::webhooks::endpoints::commands;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint_body::{SecretText, secret};
use super::endpoint_id;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path};
use crate::state::ApiState;

/// The new secret, and how long the old ones sign beside it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SecretRotation")]
pub struct Rotation {
    /// A secret of your own; one is made if you bring none.
    #[schemars(with = "Option<SecretText>")]
    secret: Option<String>,
    /// How long the old ones sign beside it.
    #[schemars(range(max = SECRET_OVERLAP_SECONDS_MAX), extend("default" = SECRET_OVERLAP_SECONDS))]
    overlap_seconds: Option<u64>,
}

/// The new secret of an endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedSecret {
    endpoint_id: EndpointId,
    /// The new secret. No other answer shows it.
    #[schemars(with = "SecretText")]
    secret: String,
    /// How long the old ones sign beside it.
    overlap_seconds: u64,
}

/// Gives an endpoint a new secret, which is in this answer and in no other.
pub async fn rotate_secret(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    body: Option<Json<Rotation>>,
) -> Result<Answer<RotatedSecret>, ApiError> {
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
    Ok(Answer::ok(RotatedSecret {
        endpoint_id: id,
        secret: secret.to_text().expose_secret().to_owned(),
        overlap_seconds: overlap,
    }))
}
