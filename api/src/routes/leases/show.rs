//! `GET /api/ai/leases/{resource}`.

use axum::extract::State;
use common::leases;

use super::resource;
use super::view::Lease;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Path};
use crate::state::ApiState;

/// The lease of a resource of the caller's account.
pub async fn get_lease(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(name): Path<String>,
) -> Result<Answer<Lease>, ApiError> {
    let lease = leases::find(state.pool(), principal.user, &resource(&name)?).await?;
    Ok(Answer::ok(lease.into()))
}
