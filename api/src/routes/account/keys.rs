//! `/api/ai/keys`: an account's keys. A key makes, replaces and revokes none that is wider than itself.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::accounts::commands::{self, MadeKey};
use common::identity::commands::{NewKey, Revoker, revoke_key};
use common::identity::{self, KeyLimits, KeySummary, Permission, Principal};
use common::ids::ApiKeyId;
use common::limits::{KEY_OVERLAP_SECONDS, KEY_OVERLAP_SECONDS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, Json, Path};
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

/// Makes a key. This answer is the only one that shows it; a repeated request is told which one it is.
pub async fn create_own_key(
    State(state): State<ApiState>,
    Caller(caller): Caller,
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
    let key = idempotency.scoped(&caller, "keys");
    let made =
        commands::create_own_key(&state.outbox, &state.sealer, &caller, new, key.as_ref()).await?;
    answer(&state, &caller, &made).await
}

/// Lists the account's keys, newest first, without the keys themselves.
pub async fn list_own_keys(
    State(state): State<ApiState>,
    Caller(caller): Caller,
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

/// Replaces a key by one of the same rights, for as long. This answer is the only one that shows it.
pub async fn rotate_own_key(
    State(state): State<ApiState>,
    Caller(caller): Caller,
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
    let key = idempotency.scoped(&caller, "keys/rotate");
    let (outbox, sealer) = (&state.outbox, &state.sealer);
    let made = commands::rotate_key(outbox, sealer, &caller, id, overlap, key.as_ref()).await?;
    answer(&state, &caller, &made).await
}

/// Revokes a key at once.
pub async fn revoke_own_key(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<Response, ApiError> {
    revoke_key(&state.outbox, Revoker::Owner(&caller), id).await?;
    Ok(success(
        StatusCode::OK,
        json!({ "id": id, "revoked": true }),
    ))
}

/// A key that was made, with the key itself if this is the first answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownKey {
    #[serde(flatten)]
    summary: Option<KeySummary>,
    api_key: Option<String>,
    message: &'static str,
}

async fn answer(
    state: &ApiState,
    caller: &Principal,
    made: &MadeKey,
) -> Result<Response, ApiError> {
    let message = match made.key {
        Some(_) => "Keep this key: it is shown only once.",
        None => {
            "An earlier request with this Idempotency-Key made this key, which was shown only once. If it is lost, rotate it."
        }
    };
    let shown = ShownKey {
        summary: identity::find_key(state.pool(), caller.user, made.id).await?,
        api_key: made.key.as_ref().map(|key| key.expose().to_owned()),
        message,
    };
    let mut response = success(StatusCode::CREATED, shown);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if made.key.is_none() {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}
