//! Deliveries: what a receiver was promised, and each attempt to keep the promise.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::ids::{ApiKeyId, DeliveryId, UserId};
use crate::jobs::{JobName, NewJob};
use crate::outbox::Tx;

/// A message to be sent to one address.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub owner: UserId,
    /// The key that signs.
    pub api_key: ApiKeyId,
    /// What it is about. One delivery per subject, event type, owner and address, however often it is
    /// promised.
    pub subject: Uuid,
    pub event_type: &'static str,
    pub url: String,
    /// The exact bytes that are signed and sent.
    pub body: Vec<u8>,
    pub trace: String,
}

/// A message on its way.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Delivery {
    pub id: DeliveryId,
    pub message_id: String,
    pub api_key_id: ApiKeyId,
    pub event_type: String,
    pub url: String,
    pub body: Vec<u8>,
    pub state: DeliveryState,
    pub attempts: i32,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

/// One request to the receiver, as it is kept.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct AttemptRow {
    pub attempt: i32,
    pub outcome: String,
    pub status_code: Option<i16>,
    pub duration_ms: i32,
    pub response: String,
    pub at: DateTime<Utc>,
}

/// Promises a delivery in the transaction of the thing that happened.
pub async fn promise_in_tx(tx: &mut Tx, new: &NewDelivery) -> Result<(), sqlx::Error> {
    let id = DeliveryId::new();
    let inserted = sqlx::query(
        "insert into webhook_deliveries (id, message_id, owner_id, api_key_id, subject, event_type, url, body, trace)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict on constraint webhook_deliveries_once do nothing",
    )
    .bind(id)
    .bind(format!("msg_{}", id.0.simple()))
    .bind(new.owner)
    .bind(new.api_key)
    .bind(new.subject)
    .bind(new.event_type)
    .bind(&new.url)
    .bind(&new.body)
    .bind(&new.trace)
    .execute(&mut **tx)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    tx.enqueue(&NewJob {
        name: JobName::DeliverWebhook,
        subject: id.0,
        tenant: Some(new.owner),
        trace: new.trace.clone(),
        delay: std::time::Duration::ZERO,
    })
    .await
}

/// A delivery by its id.
pub async fn find(pool: &PgPool, id: DeliveryId) -> Result<Option<Delivery>, sqlx::Error> {
    sqlx::query_as(
        "select id, message_id, api_key_id, event_type, url, body, state, attempts
         from webhook_deliveries
         where id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
}

/// Notes an attempt; the delivery is then in `state`.
pub async fn record_attempt_in_tx(
    tx: &mut Tx,
    id: DeliveryId,
    state: DeliveryState,
    attempt: &AttemptRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into webhook_attempts (delivery_id, attempt, outcome, status_code, duration_ms, response)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(attempt.attempt)
    .bind(&attempt.outcome)
    .bind(attempt.status_code)
    .bind(attempt.duration_ms)
    .bind(&attempt.response)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update webhook_deliveries
         set state = $2, attempts = $3, finished_at = case when $2 = 'pending' then null else now() end
         where id = $1",
    )
    .bind(id)
    .bind(state)
    .bind(attempt.attempt)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives the delivery up, or takes that back.
pub async fn set_state_in_tx(
    tx: &mut Tx,
    id: DeliveryId,
    state: DeliveryState,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook_deliveries
         set state = $2, finished_at = case when $2 = 'pending' then null else now() end
         where id = $1
           and state <> 'delivered'",
    )
    .bind(id)
    .bind(state)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
