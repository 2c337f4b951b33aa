//! `/admin/analytics`: the market by the hour and by the day, active accounts, searches without results, and rebuilds.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use common::analytics::{self, ActiveAccounts, Period, Rebuild, SearchTerm};
use common::ids::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Answer, Cacheable};
use crate::error::ApiError;
use crate::extract::{Json, Query, moment};
use crate::routes::analytics::{Analytics, answer, range};
use crate::routes::page::{self, LongLimit};
use crate::state::ApiState;

/// Whose analytics, and which periods.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketAnalyticsQuery {
    /// The account; by default the whole market.
    user_id: Option<UserId>,
    /// How long each period is.
    period: Period,
    /// The first period contains this time.
    #[serde(deserialize_with = "moment::optional")]
    from: Option<DateTime<Utc>>,
    /// The last period contains this time or ends at it; by default now.
    #[serde(deserialize_with = "moment::optional")]
    to: Option<DateTime<Utc>>,
}

/// The analytics of the market, or of one account.
pub async fn get_market_analytics(
    State(state): State<ApiState>,
    Query(query): Query<MarketAnalyticsQuery>,
) -> Result<Cacheable<Analytics>, ApiError> {
    let range = range(query.period, query.from, query.to)?;
    answer(&state, query.user_id, range).await
}

/// Which days.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActiveAccountsQuery {
    /// The first day contains this time; by default 30 days before `to`.
    #[serde(deserialize_with = "moment::optional")]
    from: Option<DateTime<Utc>>,
    /// The last day contains this time or ends at it; by default now.
    #[serde(deserialize_with = "moment::optional")]
    to: Option<DateTime<Utc>>,
}

/// Active accounts by the day.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ActiveAccountsList {
    days: Vec<ActiveAccounts>,
}

/// Lists how many accounts made a request on each day, and within the 7 and 30 days that end with it.
pub async fn list_active_accounts(
    State(state): State<ApiState>,
    Query(query): Query<ActiveAccountsQuery>,
) -> Result<Answer<ActiveAccountsList>, ApiError> {
    let range = range(Period::Day, query.from, query.to)?;
    let (from, to) = (range.from.date_naive(), range.to.date_naive());
    let days = analytics::list_active_accounts(state.pool(), from, to).await?;
    Ok(Answer::ok(ActiveAccountsList { days }))
}

/// Which searches.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchesQuery {
    /// The first hour contains this time; by default 24 hours before `to`.
    #[serde(deserialize_with = "moment::optional")]
    from: Option<DateTime<Utc>>,
    /// The last hour contains this time or ends at it; by default now.
    #[serde(deserialize_with = "moment::optional")]
    to: Option<DateTime<Utc>>,
    limit: Option<LongLimit>,
}

/// Searches without results.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchesWithoutResults {
    /// The most frequent first.
    terms: Vec<SearchTerm>,
}

/// Lists the terms that found nothing, the most frequent first.
pub async fn list_searches_without_results(
    State(state): State<ApiState>,
    Query(query): Query<SearchesQuery>,
) -> Result<Answer<SearchesWithoutResults>, ApiError> {
    let range = range(Period::Hour, query.from, query.to)?;
    let limit = page::rows(query.limit)?;
    let terms = analytics::list_searches_without_results(state.pool(), &range, limit).await?;
    Ok(Answer::ok(SearchesWithoutResults { terms }))
}

/// The days to recount.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildRequest {
    /// The first day contains this time.
    #[serde(deserialize_with = "moment::required")]
    from: DateTime<Utc>,
    /// The last day contains this time or ends at it.
    #[serde(deserialize_with = "moment::required")]
    to: DateTime<Utc>,
}

/// The progress of a rebuild.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RebuildProgress {
    /// How many hours wait to be counted, including one that has just begun.
    hours_waiting: i64,
}

/// Requests that the scheduler recounts whole days.
pub async fn rebuild_analytics(
    State(state): State<ApiState>,
    Json(request): Json<RebuildRequest>,
) -> Result<Answer<RebuildProgress>, ApiError> {
    let days = Rebuild::new(request.from, request.to, Utc::now());
    let days = days.map_err(|fault| ApiError::fields(&[fault]))?;
    let hours = analytics::rebuild(state.pool(), &days).await?;
    tracing::info!(
        analytics.hours = hours,
        "An operator requested a rebuild of analytics"
    );
    let progress = progress(&state).await?;
    Ok(Answer::with(StatusCode::ACCEPTED, progress).followed_at("/admin/analytics/rebuild"))
}

/// How many hours wait to be counted.
pub async fn get_rebuild(
    State(state): State<ApiState>,
) -> Result<Answer<RebuildProgress>, ApiError> {
    Ok(Answer::ok(progress(&state).await?))
}

async fn progress(state: &ApiState) -> Result<RebuildProgress, ApiError> {
    let hours_waiting = analytics::count_waiting_hours(state.pool()).await?;
    Ok(RebuildProgress { hours_waiting })
}
