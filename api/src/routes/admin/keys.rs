//! `/admin/keys`: create, list, revoke.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::identity::commands::{Revoker, revoke_key as revoke};
use common::identity::{self, Permission};
use common::ids::ApiKeyId;
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::routes::success;
use crate::state::ApiState;

/// A key to be made; its user is made with it if there is none of that name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    user: String,
    name: String,
    permissions: Vec<Permission>,
}

/// Whose keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyQuery {
    user: Option<String>,
}

/// Makes a key. This answer is the only one that shows it.
pub async fn create_key(
    State(state): State<ApiState>,
    Json(new): Json<NewKey>,
) -> Result<Response, ApiError> {
    let created = identity::commands::create_key(
        state.pool(),
        &state.sealer,
        &new.user,
        &new.name,
        &new.permissions,
    )
    .await?;
    let data = json!({
        "id": created.id,
        "userId": created.user,
        "user": new.user,
        "name": new.name,
        "permissions": new.permissions,
        "apiKey": created.key.expose(),
        "message": "Keep this key: it is shown only once.",
    });
    Ok(success(StatusCode::CREATED, data))
}

/// Lists keys, newest first, without the keys themselves.
pub async fn list_keys(
    State(state): State<ApiState>,
    Query(query): Query<KeyQuery>,
) -> Result<Response, ApiError> {
    let keys = identity::list_keys(state.pool(), query.user.as_deref()).await?;
    Ok(success(StatusCode::OK, json!({ "keys": keys })))
}

/// Revokes a key at once.
pub async fn revoke_key(
    State(state): State<ApiState>,
    Path(id): Path<ApiKeyId>,
) -> Result<Response, ApiError> {
    revoke(&state.outbox, Revoker::Operator, id).await?;
    Ok(success(
        StatusCode::OK,
        json!({ "id": id, "revoked": true }),
    ))
}
