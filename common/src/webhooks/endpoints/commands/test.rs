//! Tests an endpoint: one event of a type, with its example, over the same way as real ones. Its signed body says
//! that it is a test, and its failure raises no alert.

use super::write::lock_in_tx;
use crate::ids::{DeliveryId, EndpointId, EventId, UserId};
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;
use crate::webhooks::catalogue::EventType;
use crate::webhooks::endpoints::EndpointState;

/// Sends a test event to this endpoint alone, once. Answers the delivery to watch.
pub async fn test(
    outbox: &Outbox,
    id: EndpointId,
    owner: UserId,
    event_type: EventType,
    trace: &str,
) -> Result<DeliveryId, WebhookError> {
    let (event, delivery) = (EventId::new(), DeliveryId::new());
    let mut tx = outbox.begin().await?;
    let endpoint = lock_in_tx(&mut tx, id, owner).await?;
    if endpoint.state == EndpointState::Disabled {
        return Err(WebhookError::Disabled);
    }
    sqlx::query(
        "with event as (
             insert into webhook_events (id, owner_id, subject, event_type, dedupe, trace)
             values ($1, $2, $1, $3, 'test:' || $1, $4)
             returning id, body_day, sequence
         ),
         stored as (
             insert into webhook_bodies (event_id, day, body)
             select id, body_day, $5
             from event
         )
         insert into webhook_deliveries (id, event_id, endpoint_id, owner_id, event_type, subject, sequence, trigger)
         select $6, id, $7, $2, $3, id, sequence, 'test'
         from event",
    )
    .bind(event)
    .bind(owner)
    .bind(event_type.as_str())
    .bind(trace)
    .bind(event_type.test_body())
    .bind(delivery)
    .bind(id)
    .execute(&mut *tx)
    .await?;
    tx.ring([endpoint.job_id]);
    tx.commit().await?;
    Ok(delivery)
}
