//! Deletes a subscription, with what it holds.

use crate::db;
use crate::events::subscriptions::{RELEASED, SubscriptionError, SubscriptionName};
use crate::ids::{EventSubscriptionId, UserId};
use crate::outbox::Outbox;

/// Deletes it; whoever waits for its events learns of it.
pub async fn delete(
    outbox: &Outbox,
    owner: UserId,
    name: &SubscriptionName,
) -> Result<(), SubscriptionError> {
    let mut writer = db::writer(outbox.pool()).await?;
    let deleted: Option<EventSubscriptionId> = sqlx::query_scalar(
        "delete from event_subscriptions
         where owner_id = $1
           and name = $2
         returning id",
    )
    .bind(owner)
    .bind(name)
    .fetch_optional(&mut *writer)
    .await?;
    writer.finish().await?;
    let id = deleted.ok_or(SubscriptionError::NotFound)?;
    outbox.announce(RELEASED, &id.to_string());
    Ok(())
}
