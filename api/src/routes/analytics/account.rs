//! `GET /api/ai/analytics`: the analytics of the caller's account.

use axum::extract::State;
use chrono::{DateTime, Utc};
use common::analytics::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{Analytics, answer, range};
use crate::contract::Cacheable;
use crate::error::ApiError;
use crate::extract::{Caller, Query, moment};
use crate::state::ApiState;

/// Which periods.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnalyticsQuery {
    /// How long each period is.
    period: Period,
    /// The first period contains this time.
    #[serde(deserialize_with = "moment::optional")]
    from: Option<DateTime<Utc>>,
    /// The last period contains this time or ends at it; by default now.
    #[serde(deserialize_with = "moment::optional")]
    to: Option<DateTime<Utc>>,
}

/// The uploads and sales of the caller, and the webhooks sent to its endpoints.
pub async fn get_analytics(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<AnalyticsQuery>,
) -> Result<Cacheable<Analytics>, ApiError> {
    let range = range(query.period, query.from, query.to)?;
    answer(&state, Some(principal.user), range).await
}
