//! Reads of deliveries and their attempts.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::ids::{DeliveryId, EndpointId, EventId, RecoveryId, UserId};
use crate::limits::WEBHOOK_ATTEMPTS_SHOWN_MAX;
use crate::webhooks::state::{DeliveryState, Trigger};

/// A delivery as its owner sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub event_id: EventId,
    pub endpoint_id: EndpointId,
    pub event_type: String,
    pub sequence: i64,
    pub state: DeliveryState,
    pub trigger: Trigger,
    pub attempts: i32,
    pub tries: i32,
    pub holds: i32,
    pub outcome: Option<String>,
    pub status_code: Option<i16>,
    pub recovery_id: Option<RecoveryId>,
    pub next_at: DateTime<Utc>,
    pub accepted_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub url: String,
}

/// Which deliveries of an owner; the newest first.
#[derive(Debug, Clone)]
pub struct DeliveryFilter {
    pub owner: UserId,
    pub endpoint: Option<EndpointId>,
    pub event: Option<EventId>,
    pub state: Option<DeliveryState>,
    pub event_type: Option<String>,
    /// How the last attempt ended.
    pub outcome: Option<String>,
    pub status_code: Option<i16>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only those made before this one.
    pub before: Option<DeliveryId>,
    pub limit: i64,
}

/// One request to the receiver, as it is kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AttemptRow {
    pub attempt: i32,
    pub at: DateTime<Utc>,
    pub trigger: Trigger,
    pub outcome: String,
    pub status_code: Option<i16>,
    pub detail: String,
    pub resolve_ms: Option<f32>,
    pub connect_ms: Option<f32>,
    pub first_byte_ms: Option<f32>,
    pub body_ms: Option<f32>,
    pub duration_ms: f32,
    pub response: String,
}

/// One delivery of the owner.
pub async fn find_delivery(
    pool: &PgPool,
    id: DeliveryId,
    owner: UserId,
) -> Result<Option<DeliveryRow>, sqlx::Error> {
    sqlx::query_as(
        "select delivery.*, url
         from webhook_deliveries as delivery
         join webhook_endpoints as endpoint
           on endpoint.id = endpoint_id
         where delivery.id = $1
           and delivery.owner_id = $2",
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(pool)
    .await
}

/// A page of them.
pub async fn list_deliveries(
    pool: &PgPool,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliveryRow>, sqlx::Error> {
    sqlx::query_as(
        "select delivery.*, url
         from webhook_deliveries as delivery
         join webhook_endpoints as endpoint
           on endpoint.id = endpoint_id
         where delivery.owner_id = $1
           and ($2::uuid is null or endpoint_id = $2)
           and ($3::uuid is null or event_id = $3)
           and ($4::text is null or delivery.state = $4)
           and ($5::text is null or event_type = $5)
           and ($6::text is null or outcome = $6)
           and ($7::smallint is null or status_code = $7)
           and ($8::timestamptz is null or delivery.created_at >= $8)
           and ($9::timestamptz is null or delivery.created_at < $9)
           and ($10::uuid is null or delivery.id < $10)
         order by delivery.id desc
         limit $11",
    )
    .bind(filter.owner)
    .bind(filter.endpoint)
    .bind(filter.event)
    .bind(filter.state)
    .bind(&filter.event_type)
    .bind(&filter.outcome)
    .bind(filter.status_code)
    .bind(filter.since)
    .bind(filter.until)
    .bind(filter.before)
    .bind(filter.limit)
    .fetch_all(pool)
    .await
}

/// Its attempts, the newest first.
pub async fn list_attempts(pool: &PgPool, id: DeliveryId) -> Result<Vec<AttemptRow>, sqlx::Error> {
    sqlx::query_as(
        "select attempt, at, trigger, outcome, status_code, detail, resolve_ms, connect_ms, first_byte_ms, body_ms,
                duration_ms, response
         from webhook_attempts
         where delivery_id = $1
         order by attempt desc
         limit $2",
    )
    .bind(id)
    .bind(WEBHOOK_ATTEMPTS_SHOWN_MAX)
    .fetch_all(pool)
    .await
}
