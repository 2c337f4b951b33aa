//! `/admin/keys`: create, list, revoke.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::audit::{self, ActId, Details};
use common::identity::commands::{KeyOwner, Revoker, create_key_for, revoke_key as revoke};
use common::identity::{self, Permission};
use common::ids::{ApiKeyId, UserId};
use serde::Deserialize;
use serde_json::json;

use crate::error::{ApiError, Code};
use crate::extract::{Json, Path, Query};
use crate::routes::success;
use crate::state::ApiState;

/// A key to be made, for a user who exists or for one who is made with it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKey {
    user_id: Option<UserId>,
    /// The name of a new user.
    user: Option<String>,
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
    Extension(act): Extension<ActId>,
    Json(new): Json<NewKey>,
) -> Result<Response, ApiError> {
    let owner = match (new.user_id, &new.user) {
        (Some(user), None) => KeyOwner::User(user),
        (None, Some(name)) => KeyOwner::New(name),
        _ => {
            let message = "Send either userId, or user as the name of a new user.";
            return Err(ApiError::new(Code::InvalidInput, message)
                .field("userId", "is required without user")
                .field("user", "is required without userId"));
        }
    };
    let pool = state.pool();
    let created = create_key_for(pool, &state.sealer, owner, &new.name, &new.permissions).await?;
    let user_name = identity::find_name(pool, created.user).await?;
    let details = Details {
        recipient: Some(created.user),
        ..Details::default()
    };
    audit::describe(pool, act, &details).await?;
    let data = json!({
        "id": created.id,
        "userId": created.user,
        "user": user_name,
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
    Extension(act): Extension<ActId>,
    Path(id): Path<ApiKeyId>,
) -> Result<Response, ApiError> {
    let details = Details {
        recipient: identity::owner_of_key(state.pool(), id).await?,
        ..Details::default()
    };
    audit::describe(state.pool(), act, &details).await?;
    revoke(&state.outbox, Revoker::Operator, id).await?;
    Ok(success(
        StatusCode::OK,
        json!({ "id": id, "revoked": true }),
    ))
}
