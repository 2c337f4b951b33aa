//! What an owner does about deliveries and events.

use crate::ids::{DeliveryId, EventId, JobId, UserId};
use crate::outbox::Outbox;
use crate::webhooks::WebhookError;
use crate::webhooks::endpoints::EndpointState;
use crate::webhooks::state::DeliveryState;

/// Sends a delivery once more, now. It stays one chain: of a pending delivery the next attempt is made
/// earlier; one that has ended is what it was before if this attempt fails, and delivered if it does not.
pub async fn resend(outbox: &Outbox, id: DeliveryId, owner: UserId) -> Result<(), WebhookError> {
    let mut tx = outbox.begin().await?;
    let found: Option<(DeliveryState, EndpointState, JobId, bool)> = sqlx::query_as(
        "select delivery.state, endpoint.state, job_id,
                exists (select from webhook_bodies where event_id = event.id and day = body_day)
         from webhook_deliveries as delivery
         join webhook_events as event
           on event.id = event_id
         join webhook_endpoints as endpoint
           on endpoint.id = endpoint_id and deleted_at is null
         where delivery.id = $1
           and delivery.owner_id = $2
         for no key update of delivery",
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(&mut *tx)
    .await?;
    let (state, endpoint, alarm, is_stored) = found.ok_or(WebhookError::NotFound)?;
    if endpoint == EndpointState::Disabled {
        return Err(WebhookError::Disabled);
    }
    if !is_stored {
        return Err(WebhookError::Expunged);
    }
    sqlx::query(
        "update webhook_deliveries
         set state = 'pending', trigger = 'manual', ended_as = $2, next_at = now(), finished_at = null
         where id = $1",
    )
    .bind(id)
    .bind(state.is_final().then_some(state))
    .execute(&mut *tx)
    .await?;
    tx.ring([alarm]);
    tx.commit().await?;
    Ok(())
}

/// Forgets the bytes of an event. Deliveries that have not ended are discarded with them.
pub async fn expunge(outbox: &Outbox, id: EventId, owner: UserId) -> Result<(), WebhookError> {
    match expunge_events(outbox, owner, Some(id)).await? {
        0 => Err(WebhookError::NotFound),
        _ => Ok(()),
    }
}

/// Forgets the bytes of all events of an owner. Answers how many there were.
pub async fn expunge_all(outbox: &Outbox, owner: UserId) -> Result<u64, WebhookError> {
    expunge_events(outbox, owner, None).await
}

async fn expunge_events(
    outbox: &Outbox,
    owner: UserId,
    one: Option<EventId>,
) -> Result<u64, WebhookError> {
    let mut tx = outbox.begin().await?;
    let events: Vec<EventId> = sqlx::query_scalar(
        "update webhook_events
         set expunged_at = coalesce(expunged_at, now())
         where owner_id = $1
           and ($2::uuid is null or id = $2)
           and ($2::uuid is not null or expunged_at is null)
         returning id",
    )
    .bind(owner)
    .bind(one)
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query("delete from webhook_bodies where event_id = any($1)")
        .bind(&events)
        .execute(&mut *tx)
        .await?;
    // What receivers answered may repeat what they were told.
    sqlx::query(
        "update webhook_attempts
         set response = '', detail = ''
         where delivery_id in (select id from webhook_deliveries where event_id = any($1))",
    )
    .bind(&events)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "update webhook_deliveries
         set state = 'discarded', finished_at = now()
         where event_id = any($1)
           and state in ('pending', 'held')",
    )
    .bind(&events)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(events.len() as u64)
}
