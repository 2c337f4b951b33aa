//! `/admin/users/{user_id}/leases`: what an account has locked, and releasing it.

use axum::Extension;
use axum::extract::State;
use common::audit::{self, ActId, Details};
use common::identity;
use common::ids::UserId;
use common::leases::{Resource, commands};
use schemars::JsonSchema;
use serde::Serialize;

use super::because::Because;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Json, Path, Query};
use crate::routes::leases::{LeasePage, LeaseQuery, resource};
use crate::state::ApiState;

/// A lease that an operator released.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedLease {
    /// Whose lease it was.
    user_id: UserId,
    resource: Resource,
    /// The fence from now on: writes with a smaller one are late.
    fence: i64,
}

/// The leases that an account holds.
pub async fn list_user_leases(
    State(state): State<ApiState>,
    Path(user): Path<String>,
    Query(query): Query<LeaseQuery>,
) -> Result<Answer<LeasePage>, ApiError> {
    let page = query.page()?;
    let user: UserId = user.parse().map_err(|_| no_user())?;
    page.of(&state, user).await
}

/// Releases a lease, whoever holds it.
pub async fn release_user_lease(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Path((user, name)): Path<(UserId, String)>,
    Json(because): Json<Because>,
) -> Result<Answer<ReleasedLease>, ApiError> {
    let reason = because.checked()?;
    let resource = resource(&name)?;
    if identity::find_name(state.pool(), user).await?.is_none() {
        return Err(no_user());
    }
    let details = Details {
        reason: Some(&reason),
        recipient: Some(user),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &details).await?;
    let fence = commands::force_release(&state.outbox, user, &resource).await?;
    tracing::warn!(user.id = %user, "An operator released a lease");
    Ok(Answer::ok(ReleasedLease {
        user_id: user,
        resource,
        fence,
    }))
}

fn no_user() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such user.")
}
