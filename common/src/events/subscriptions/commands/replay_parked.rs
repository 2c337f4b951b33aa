//! Lets parked events be handed out again.

use crate::db;
use crate::events::subscriptions::{RELEASED, SubscriptionError, SubscriptionName};
use crate::ids::{EventSubscriptionId, UserId};
use crate::limits::PARKED_REPLAYED_MAX;
use crate::outbox::Outbox;

/// Puts the oldest parked events back into the window, where their attempts begin anew: how many. The position of the
/// subscription stays.
pub async fn replay_parked(
    outbox: &Outbox,
    owner: UserId,
    name: &SubscriptionName,
) -> Result<i64, SubscriptionError> {
    let mut writer = db::writer(outbox.pool()).await?;
    let replayed: Option<(EventSubscriptionId, i64)> = sqlx::query_as(
        "with held as materialized (
             select id from event_subscriptions where owner_id = $1 and name = $2 for update
         ), chosen as (
             select subscription_id, position
             from held
             join subscription_events on subscription_id = held.id
             where parked_at is not null
             order by position
             limit $3
         ), replayed as (
             update subscription_events
             set attempt = 0, fence = null, due_at = null, parked_at = null
             from chosen
             where subscription_events.subscription_id = chosen.subscription_id
               and subscription_events.position = chosen.position
             returning subscription_events.position
         )
         select id, (select count(*) from replayed)
         from held",
    )
    .bind(owner)
    .bind(name)
    .bind(PARKED_REPLAYED_MAX)
    .fetch_optional(&mut *writer)
    .await?;
    writer.finish().await?;
    let (id, count) = replayed.ok_or(SubscriptionError::NotFound)?;
    if count > 0 {
        outbox.announce(RELEASED, &id.to_string());
    }
    Ok(count)
}
