//! `/api/ai/keys`: an account's keys. A key makes none that is wider than itself.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::accounts::commands;
use common::identity::commands::{CreatedKey, NewKey, revoke_key};
use common::identity::{self, KeyLimits, Permission};
use common::ids::ApiKeyId;
use common::limits::{KEY_OVERLAP_SECONDS, KEY_OVERLAP_SECONDS_MAX};
use serde::Deserialize;
use serde_json::json;

use crate::error::{ApiError, Code};
use crate::extract::{IdempotencyHeader, Json, Manager, Path};
use crate::routes::success;
use crate::state::ApiState;

/// A key to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    name: String,
    #[serde(default)]
    permissions: Option<Vec<Permission>>,
    #[serde(default)]
    limits: KeyLimits,
}

/// Makes a key. This answer is the only one that shows it.
pub async fn create_own_key(
    State(state): State<ApiState>,
    Manager(caller): Manager,
    idempotency: IdempotencyHeader,
    Json(wanted): Json<Wanted>,
) -> Result<Response, ApiError> {
    let mut permissions = wanted.permissions.unwrap_or(Permission::DEFAULT.to_vec());
    permissions.dedup();
    let new = NewKey {
        name: &wanted.name,
        permissions: &permissions,
        limits: wanted.limits,
    };
    let key = idempotency.scoped(caller.user, "keys");
    let created =
        commands::create_own_key(state.pool(), &state.sealer, &caller, &new, key.as_ref()).await?;
    answer(&state, &created).await
}

/// Lists the account's keys, newest first, without the keys themselves.
pub async fn list_own_keys(
    State(state): State<ApiState>,
    Manager(caller): Manager,
) -> Result<Response, ApiError> {
    let keys = identity::list_keys_of(state.pool(), caller.user).await?;
    Ok(success(StatusCode::OK, json!({ "keys": keys })))
}

/// How long the old key lives on.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    overlap_seconds: u64,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            overlap_seconds: KEY_OVERLAP_SECONDS,
        }
    }
}

/// Replaces a key by one of the same rights. This answer is the only one that shows it.
pub async fn rotate_own_key(
    State(state): State<ApiState>,
    Manager(caller): Manager,
    idempotency: IdempotencyHeader,
    Path(id): Path<ApiKeyId>,
    rotation: Option<Json<Rotation>>,
) -> Result<Response, ApiError> {
    let rotation = rotation.map(|Json(rotation)| rotation).unwrap_or_default();
    if rotation.overlap_seconds > KEY_OVERLAP_SECONDS_MAX {
        let fault = format!("must be at most {KEY_OVERLAP_SECONDS_MAX}");
        return Err(
            ApiError::new(Code::InvalidInput, format!("overlapSeconds {fault}."))
                .field("overlapSeconds", fault),
        );
    }
    let overlap = Duration::from_secs(rotation.overlap_seconds);
    let key = idempotency.scoped(caller.user, "keys/rotate");
    let (pool, sealer) = (state.pool(), &state.sealer);
    let created = commands::rotate_key(pool, sealer, &caller, id, overlap, key.as_ref()).await?;
    answer(&state, &created).await
}

/// Revokes a key at once.
pub async fn revoke_own_key(
    State(state): State<ApiState>,
    Manager(caller): Manager,
    Path(id): Path<ApiKeyId>,
) -> Result<Response, ApiError> {
    revoke_key(state.pool(), Some(caller.user), id).await?;
    Ok(success(
        StatusCode::OK,
        json!({ "id": id, "revoked": true }),
    ))
}

async fn answer(state: &ApiState, created: &CreatedKey) -> Result<Response, ApiError> {
    let summary = identity::find_key(state.pool(), created.user, created.id).await?;
    let mut data = json!(summary);
    data["apiKey"] = json!(created.key.expose());
    data["message"] = json!("Keep this key: it is shown only once.");
    let mut response = success(StatusCode::CREATED, data);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
