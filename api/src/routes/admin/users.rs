//! `/admin/users`: who there is, who is let in, and who is an operator; `/admin/audit`: what operators
//! did.

use axum::Extension;
use axum::extract::State;
use common::accounts::{self, UserFilter, UserRole, UserSummary, commands};
use common::audit::{self, ActId, AuditEntry, Details};
use common::ids::UserId;
use common::moderation::commands as moderation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::because::{Because, decision};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::middleware::RequestId;
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which users.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UserQuery {
    /// Only users whose name contains this, in any case.
    name: Option<String>,
    /// Only the user of exactly this name.
    exact_name: Option<String>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of users, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserPage {
    users: Vec<UserSummary>,
    next_cursor: NextCursor,
}

/// Lists users, newest first.
pub async fn list_users(
    State(state): State<ApiState>,
    Query(query): Query<UserQuery>,
) -> Result<Answer<UserPage>, ApiError> {
    let filter = UserFilter {
        name_contains: query.name,
        name: query.exact_name,
        before: page::cursor(query.cursor.as_ref(), page::row)?,
    };
    let limit = page::rows(query.limit)?;
    let users = accounts::list_users(state.pool(), &filter, limit).await?;
    let next_cursor = page::next(&users, limit, |user| user.id);
    Ok(Answer::ok(UserPage { users, next_cursor }))
}

/// Whether a user is blocked now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockedUser {
    user_id: UserId,
    /// Whether the user is blocked now.
    blocked: bool,
}

/// Blocks a user: nothing of theirs is sold, bought, paid out or sent from now on.
pub async fn block_user(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(user): Path<UserId>,
    Json(because): Json<Because>,
) -> Result<Answer<BlockedUser>, ApiError> {
    let reason = because.checked()?;
    let decision = decision(&reason, act, &request_id);
    moderation::block(&state.outbox, user, &decision).await?;
    tracing::warn!(user.id = %user, "An operator blocked a user");
    let blocked = BlockedUser {
        user_id: user,
        blocked: true,
    };
    Ok(Answer::ok(blocked))
}

/// Lets a user in again: all is as it was before the block.
pub async fn unblock_user(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(user): Path<UserId>,
    Json(because): Json<Because>,
) -> Result<Answer<BlockedUser>, ApiError> {
    let reason = because.checked()?;
    let decision = decision(&reason, act, &request_id);
    moderation::unblock(&state.outbox, user, &decision).await?;
    tracing::warn!(user.id = %user, "An operator let a user in again");
    let blocked = BlockedUser {
        user_id: user,
        blocked: false,
    };
    Ok(Answer::ok(blocked))
}

/// The role that a user is to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    role: UserRole,
}

/// The role that a user has.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangedRole {
    user_id: UserId,
    role: UserRole,
}

/// Makes a user an operator, or an operator a user.
pub async fn change_role(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Path(user): Path<UserId>,
    Json(new): Json<RoleRequest>,
) -> Result<Answer<ChangedRole>, ApiError> {
    let is_admin = matches!(new.role, UserRole::Admin);
    let details = Details {
        recipient: Some(user),
        ..Details::default()
    };
    commands::set_role(state.pool(), act, user, is_admin).await?;
    audit::describe(state.pool(), act, &details).await?;
    Ok(Answer::ok(ChangedRole {
        user_id: user,
        role: new.role,
    }))
}

/// Which entries of the audit log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of the audit log, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    entries: Vec<AuditEntry>,
    next_cursor: NextCursor,
}

/// Lists what operators did, newest first.
pub async fn list_audit(
    State(state): State<ApiState>,
    Query(query): Query<AuditQuery>,
) -> Result<Answer<AuditPage>, ApiError> {
    let before = page::cursor(query.cursor.as_ref(), page::row)?;
    let limit = page::rows(query.limit)?;
    let entries = audit::list(state.pool(), before, limit).await?;
    let next_cursor = page::next(&entries, limit, |entry| entry.id);
    Ok(Answer::ok(AuditPage {
        entries,
        next_cursor,
    }))
}
