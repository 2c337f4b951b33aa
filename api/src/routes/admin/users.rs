//! `/admin/users`: who there is, who is let in, and who is an operator; `/admin/audit`: what operators
//! did.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::accounts::{self, UserFilter, commands};
use common::audit::{self, ActId, Details};
use common::identity::REVOKED;
use common::ids::UserId;
use common::limits::{PAGE_ROWS_MAX, REASON_CHARS_MAX};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::routes::{free_text, success};
use crate::state::ApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UserQuery {
    name: Option<String>,
    exact_name: Option<String>,
    before: Option<UserId>,
}

/// Lists users, newest first.
pub async fn list_users(
    State(state): State<ApiState>,
    Query(query): Query<UserQuery>,
) -> Result<Response, ApiError> {
    let filter = UserFilter {
        name_contains: query.name,
        name: query.exact_name,
        before: query.before,
    };
    let users = accounts::list_users(state.pool(), &filter, PAGE_ROWS_MAX).await?;
    Ok(success(StatusCode::OK, json!({ "users": users })))
}

/// Why a user is blocked, or let in again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Because {
    reason: String,
}

/// Refuses a user's keys and sessions from the next request on.
pub async fn block_user(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Path(user): Path<UserId>,
    Json(because): Json<Because>,
) -> Result<Response, ApiError> {
    let reason = free_text::required("reason", &because.reason, REASON_CHARS_MAX)?;
    let details = Details {
        reason: Some(&reason),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &details).await?;
    commands::set_blocked(state.pool(), act, user, Some(&reason)).await?;
    state.outbox.announce(REVOKED, &user.to_string());
    Ok(success(
        StatusCode::OK,
        json!({ "userId": user, "blocked": true }),
    ))
}

/// Lets a user in again.
pub async fn unblock_user(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Path(user): Path<UserId>,
    Json(because): Json<Because>,
) -> Result<Response, ApiError> {
    let reason = free_text::required("reason", &because.reason, REASON_CHARS_MAX)?;
    let details = Details {
        reason: Some(&reason),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &details).await?;
    commands::set_blocked(state.pool(), act, user, None).await?;
    Ok(success(
        StatusCode::OK,
        json!({ "userId": user, "blocked": false }),
    ))
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
    commands::set_role(state.pool(), act, user, is_admin).await?;
    let role = if is_admin { "admin" } else { "member" };
    Ok(success(
        StatusCode::OK,
        json!({ "userId": user, "role": role }),
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    before: Option<i64>,
}

/// Lists what operators did, newest first.
pub async fn list_audit(
    State(state): State<ApiState>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ApiError> {
    let entries = audit::list(state.pool(), query.before, PAGE_ROWS_MAX).await?;
    Ok(success(StatusCode::OK, json!({ "entries": entries })))
}
