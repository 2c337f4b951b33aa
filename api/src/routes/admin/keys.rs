//! `/admin/keys`: create, list, revoke.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use common::audit::{self, ActId, Details};
use common::identity::commands::{KeyOwner, Revoker, create_key_for, revoke_key as revoke};
use common::identity::{self, KeySummary, Permission};
use common::ids::{ApiKeyId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Json, Path, Query};
use crate::state::ApiState;

/// A key to create, for a user who exists or for a new one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({ "user": "grace", "name": "laptop", "permissions": ["upload", "download"] }))]
pub struct UserKeyRequest {
    /// A user who exists.
    user_id: Option<UserId>,
    /// The name of a new user.
    user: Option<String>,
    /// The name of the key.
    name: String,
    /// What the key allows.
    permissions: Vec<Permission>,
}

/// Which keys.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyQuery {
    /// Only keys of the user of this name.
    user: Option<String>,
}

/// A key that was created.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedUserKey {
    id: ApiKeyId,
    /// Whose key it is.
    user_id: UserId,
    /// The name of that user.
    user: Option<String>,
    /// The name of the key.
    name: String,
    /// What the key allows.
    permissions: Vec<Permission>,
    /// The key itself. No other answer shows it; a repeated request gets null.
    api_key: Option<String>,
    /// A hint, for people.
    message: &'static str,
}

/// Keys, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyList {
    keys: Vec<KeySummary>,
}

/// A key that was revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedKey {
    pub id: ApiKeyId,
    /// Always true.
    pub revoked: bool,
}

/// Makes a key. This answer is the only one that shows it.
pub async fn create_key(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Json(new): Json<UserKeyRequest>,
) -> Result<Answer<CreatedUserKey>, ApiError> {
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
    let created = CreatedUserKey {
        id: created.id,
        user_id: created.user,
        user: user_name,
        name: new.name,
        permissions: new.permissions,
        api_key: Some(created.key.expose().to_owned()),
        message: "Keep this key: it is shown only once.",
    };
    Ok(Answer::with(StatusCode::CREATED, created))
}

/// Lists keys, newest first, without the keys themselves.
pub async fn list_keys(
    State(state): State<ApiState>,
    Query(query): Query<KeyQuery>,
) -> Result<Answer<KeyList>, ApiError> {
    let keys = identity::list_keys(state.pool(), query.user.as_deref()).await?;
    Ok(Answer::ok(KeyList { keys }))
}

/// Revokes a key at once.
pub async fn revoke_key(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Path(id): Path<ApiKeyId>,
) -> Result<Answer<RevokedKey>, ApiError> {
    let details = Details {
        recipient: identity::owner_of_key(state.pool(), id).await?,
        ..Details::default()
    };
    audit::describe(state.pool(), act, &details).await?;
    revoke(&state.outbox, Revoker::Operator, id).await?;
    Ok(Answer::ok(RevokedKey { id, revoked: true }))
}
