//! `DELETE /api/ai/leases/{resource}`.

use axum::extract::State;
use common::leases::commands;

use super::resource;
use crate::contract::NoContent;
use crate::error::ApiError;
use crate::extract::{Caller, LeaseHeader, Path};
use crate::places;
use crate::state::ApiState;

/// Releases a lease that the caller holds; whoever waits for it is granted it.
pub async fn release_lease(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    LeaseHeader(token): LeaseHeader,
    Path(name): Path<String>,
) -> Result<NoContent, ApiError> {
    let resource = resource(&name)?;
    places::complete("release a lease", async move {
        commands::release(&state.outbox, principal.user, &resource, &token).await
    })
    .await?;
    Ok(NoContent)
}
