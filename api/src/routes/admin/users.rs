//! `/admin/users`: who there is, who is let in, and who is an operator; `/admin/audit`: what operators
//! did.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::accounts::{self, UserFilter, commands};
use common::audit::{self, ActId, Details};
use common::ids::UserId;
use common::moderation::commands as moderation;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::because::{Because, decision};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::middleware::RequestId;
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UserQuery {
    name: Option<String>,
    exact_name: Option<String>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Lists users, newest first.
pub async fn list_users(
    State(state): State<ApiState>,
    Query(query): Query<UserQuery>,
) -> Result<Response, ApiError> {
    let filter = UserFilter {
        name_contains: query.name,
        name: query.exact_name,
        before: page::cursor(query.cursor.as_deref(), page::row)?,
    };
    let limit = Pages::LONG.limit(query.limit)?;
    let users = accounts::list_users(state.pool(), &filter, limit).await?;
    let next = page::next(&users, limit, |user| user.id);
    let body = json!({ "users": users, "nextCursor": next });
    Ok(success(StatusCode::OK, body))
}

/// Whether a user is blocked now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Blocked {
    user_id: UserId,
    blocked: bool,
}

/// Blocks a user: nothing of theirs is sold, bought, paid out or sent from now on.
pub async fn block_user(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(user): Path<UserId>,
    Json(because): Json<Because>,
) -> Result<Response, ApiError> {
    let reason = because.checked()?;
    let decision = decision(&reason, act, &request_id);
    moderation::block(&state.outbox, user, &decision).await?;
    tracing::warn!(user.id = %user, "An operator blocked a user");
    let blocked = Blocked {
        user_id: user,
        blocked: true,
    };
    Ok(success(StatusCode::OK, json!(blocked)))
}

/// Lets a user in again: all is as it was before the block.
pub async fn unblock_user(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(user): Path<UserId>,
    Json(because): Json<Because>,
) -> Result<Response, ApiError> {
    let reason = because.checked()?;
    let decision = decision(&reason, act, &request_id);
    moderation::unblock(&state.outbox, user, &decision).await?;
    tracing::warn!(user.id = %user, "An operator let a user in again");
    let blocked = Blocked {
        user_id: user,
        blocked: false,
    };
    Ok(success(StatusCode::OK, json!(blocked)))
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Member,
    Admin,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    role: Role,
}

/// Makes a user an operator, or an operator a user.
pub async fn change_role(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Path(user): Path<UserId>,
    Json(new): Json<NewRole>,
) -> Result<Response, ApiError> {
    let is_admin = matches!(new.role, Role::Admin);
    let details = Details {
        recipient: Some(user),
        ..Details::default()
    };
    commands::set_role(state.pool(), act, user, is_admin).await?;
    audit::describe(state.pool(), act, &details).await?;
    let role = if is_admin { "admin" } else { "member" };
    Ok(success(
        StatusCode::OK,
        json!({ "userId": user, "role": role }),
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Lists what operators did, newest first.
pub async fn list_audit(
    State(state): State<ApiState>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ApiError> {
    let before = page::cursor(query.cursor.as_deref(), page::row)?;
    let limit = Pages::LONG.limit(query.limit)?;
    let entries = audit::list(state.pool(), before, limit).await?;
    let next = page::next(&entries, limit, |entry| entry.id);
    let body = json!({ "entries": entries, "nextCursor": next });
    Ok(success(StatusCode::OK, body))
}
