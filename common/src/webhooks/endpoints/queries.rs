//! Reads of endpoints.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{Endpoint, EndpointState, Source};
use crate::identity::Sealer;
use crate::ids::{EndpointId, UserId};
use crate::webhooks::WebhookError;
use crate::webhooks::secret::WebhookSecret;

/// Days that statistics look back.
pub const STATS_DAYS: i32 = 28;

/// Which endpoints of an owner; the newest first.
#[derive(Debug, Clone, Copy)]
pub struct EndpointFilter {
    pub owner: UserId,
    pub source: Source,
    pub state: Option<EndpointState>,
    /// Only those made before this one.
    pub before: Option<EndpointId>,
    pub limit: i64,
}

/// One endpoint of the owner.
pub async fn find(
    executor: impl PgExecutor<'_>,
    id: EndpointId,
    owner: UserId,
) -> Result<Endpoint, WebhookError> {
    sqlx::query_as(
        "select webhook_endpoints.*, failing_since
         from webhook_endpoints
         left join webhook_health
           on endpoint_id = id
         where id = $1
           and owner_id = $2
           and deleted_at is null",
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(executor)
    .await?
    .ok_or(WebhookError::NotFound)
}

/// A page of them.
pub async fn list(pool: &PgPool, filter: &EndpointFilter) -> Result<Vec<Endpoint>, sqlx::Error> {
    sqlx::query_as(
        "select webhook_endpoints.*, failing_since
         from webhook_endpoints
         left join webhook_health
           on endpoint_id = id
         where owner_id = $1
           and source = $2
           and ($3::text is null or state = $3)
           and ($4::uuid is null or id < $4)
           and deleted_at is null
         order by id desc
         limit $5",
    )
    .bind(filter.owner)
    .bind(filter.source)
    .bind(filter.state)
    .bind(filter.before)
    .bind(filter.limit)
    .fetch_all(pool)
    .await
}

/// The newest secret of an endpoint.
pub async fn newest_secret(
    pool: &PgPool,
    sealer: &Sealer,
    id: EndpointId,
) -> Result<WebhookSecret, WebhookError> {
    let (row, sealed): (Uuid, Vec<u8>) = sqlx::query_as(
        "select id, sealed
         from webhook_secrets
         where endpoint_id = $1
         order by created_at desc
         limit 1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?
    .ok_or(WebhookError::NotFound)?;
    Ok(WebhookSecret::open(sealer, row, &sealed)?)
}

/// How an endpoint did in the last [`STATS_DAYS`] days.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    pub since: DateTime<Utc>,
    pub deliveries: Vec<StateCount>,
    pub attempts: Vec<OutcomeCount>,
}

/// Deliveries by where they stand.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct StateCount {
    pub status: String,
    pub count: i64,
}

/// Attempts by outcome, with their duration.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeCount {
    pub outcome: String,
    pub count: i64,
    #[serde(rename = "p50Ms")]
    pub p50_ms: f64,
    #[serde(rename = "p99Ms")]
    pub p99_ms: f64,
}

/// Counts what happened at an endpoint.
pub async fn stats(pool: &PgPool, id: EndpointId) -> Result<Stats, sqlx::Error> {
    let deliveries = sqlx::query_as(
        "select state as status, count(*) as count
         from webhook_deliveries
         where endpoint_id = $1
           and created_at > now() - make_interval(days => $2)
         group by state
         order by state",
    )
    .bind(id)
    .bind(STATS_DAYS)
    .fetch_all(pool)
    .await?;
    let attempts = sqlx::query_as(
        "select attempt.outcome, count(*) as count,
                percentile_cont(0.5) within group (order by duration_ms)::float8 as p50_ms,
                percentile_cont(0.99) within group (order by duration_ms)::float8 as p99_ms
         from webhook_attempts as attempt
         join webhook_deliveries as delivery
           on delivery.id = delivery_id
         where endpoint_id = $1
           and at > now() - make_interval(days => $2)
         group by attempt.outcome
         order by count(*) desc",
    )
    .bind(id)
    .bind(STATS_DAYS)
    .fetch_all(pool)
    .await?;
    Ok(Stats {
        since: Utc::now() - chrono::TimeDelta::days(i64::from(STATS_DAYS)),
        deliveries,
        attempts,
    })
}
