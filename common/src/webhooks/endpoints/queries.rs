//! Reads of endpoints.

use chrono::Utc;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{Endpoint, EndpointState, Source};
use crate::identity::Sealer;
use crate::ids::{EndpointId, UserId};
use crate::webhooks::WebhookError;
use crate::webhooks::secret::WebhookSecret;
use crate::webhooks::state::DeliveryState;
use crate::wire::Timestamp;

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
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "EndpointStats")]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Since when it is counted.
    pub since: Timestamp,
    /// The deliveries, by state.
    pub deliveries: Vec<StateCount>,
    /// The attempts, by outcome.
    pub attempts: Vec<OutcomeCount>,
}

/// How many deliveries are in a state.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
pub struct StateCount {
    pub status: DeliveryState,
    /// How many.
    pub count: i64,
}

/// How many attempts had an outcome, and how long they took.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeCount {
    /// `delivered`, or why not.
    pub outcome: String,
    /// How many.
    pub count: i64,
    /// The median duration, in milliseconds.
    #[serde(rename = "p50Ms")]
    pub p50_ms: f64,
    /// The duration that one in a hundred exceeds, in milliseconds.
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
        since: Timestamp(Utc::now() - chrono::TimeDelta::days(i64::from(STATS_DAYS))),
        deliveries,
        attempts,
    })
}
