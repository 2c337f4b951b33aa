//! `PUT /api/ai/leases/{resource}`.

use std::time::Duration;

use axum::extract::State;
use common::leases::commands;
use common::limits::{LEASE_TTL_MS_MAX, LEASE_TTL_MS_MIN};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::Lease;
use super::{resource, ttl_ms};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Json, LeaseHeader, Path};
use crate::state::ApiState;

/// How long a lease is to last from now on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseExtension {
    /// In milliseconds; 30,000 if nothing is said.
    #[schemars(range(min = LEASE_TTL_MS_MIN, max = LEASE_TTL_MS_MAX))]
    ttl_ms: Option<i64>,
}

/// Extends a lease that the caller holds.
pub async fn extend_lease(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    LeaseHeader(token): LeaseHeader,
    Path(name): Path<String>,
    body: Option<Json<LeaseExtension>>,
) -> Result<Answer<Lease>, ApiError> {
    let Json(body) = body.unwrap_or_else(|| Json(LeaseExtension::default()));
    let ttl = Duration::from_millis(ttl_ms(body.ttl_ms)?);
    let resource = resource(&name)?;
    let lease = commands::extend(state.pool(), principal.user, &resource, &token, ttl).await?;
    Ok(Answer::ok(lease.into()))
}
