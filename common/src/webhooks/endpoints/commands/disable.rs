//! Stops sending to an endpoint; what it would have heard is held.

use serde::Serialize;

use super::news::{News, tell_in_tx};
use super::write::lock_in_tx;
use crate::ids::{EndpointId, UserId};
use crate::outbox::{Outbox, Tx};
use crate::webhooks::WebhookError;
use crate::webhooks::catalogue::EventType;

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DisabledBy {
    Owner,
    /// The receiver asked for it, or never answered.
    Receiver,
}

/// Disables an enabled endpoint and holds what is pending. False if it is not enabled.
async fn disable_in_tx(
    tx: &mut Tx,
    id: EndpointId,
    reason: &str,
    by: DisabledBy,
) -> Result<bool, sqlx::Error> {
    let disabled = sqlx::query(
        "update webhook_endpoints
         set state = 'disabled', disabled_reason = $2, disabled_at = now(), version = version + 1, changed_at = now()
         where id = $1
           and state = 'enabled'
           and deleted_at is null",
    )
    .bind(id)
    .bind(reason)
    .execute(&mut **tx)
    .await?;
    if disabled.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "update webhook_deliveries
         set state = 'held'
         where endpoint_id = $1
           and state = 'pending'",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    let news = News {
        event_type: EventType::EndpointDisabled,
        reason: Some(reason),
        by: Some(by),
        since: None,
        hours: None,
    };
    tell_in_tx(tx, id, &news).await?;
    Ok(true)
}

/// Its owner disables it.
pub async fn disable(
    outbox: &Outbox,
    id: EndpointId,
    owner: UserId,
    reason: &str,
) -> Result<(), WebhookError> {
    let mut tx = outbox.begin().await?;
    lock_in_tx(&mut tx, id, owner).await?;
    if !disable_in_tx(&mut tx, id, reason, DisabledBy::Owner).await? {
        return Err(WebhookError::Disabled);
    }
    tx.commit().await?;
    Ok(())
}

/// Disables an endpoint that wants no more, or cannot be reached.
pub async fn disable_by_worker(
    outbox: &Outbox,
    id: EndpointId,
    reason: &str,
) -> Result<(), sqlx::Error> {
    let mut tx = outbox.begin().await?;
    if disable_in_tx(&mut tx, id, reason, DisabledBy::Receiver).await? {
        tracing::warn!(webhook.endpoint = %id, reason, "Disabled an endpoint");
    }
    tx.commit().await
}
