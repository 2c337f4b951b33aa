//! Moves a subscription to another place in the log.

use sqlx::PgConnection;

use crate::events::log;
use crate::events::subscriptions::{RELEASED, Start, SubscriptionError, SubscriptionName};
use crate::ids::{EventSubscriptionId, UserId};
use crate::outbox::Outbox;

/// Moves it. What it holds is dropped, but for parked events that lie before the new place: those after it come again
/// anyway. Whoever was given an event before is late.
pub async fn seek(
    outbox: &Outbox,
    owner: UserId,
    name: &SubscriptionName,
    to: Start,
) -> Result<(), SubscriptionError> {
    let mut tx = outbox.begin().await?;
    // In a statement of its own: the next ones see what was fetched while this one waited.
    let id: Option<EventSubscriptionId> = sqlx::query_scalar(
        "select id from event_subscriptions where owner_id = $1 and name = $2 for update",
    )
    .bind(owner)
    .bind(name)
    .fetch_optional(&mut *tx)
    .await?;
    let id = id.ok_or(SubscriptionError::NotFound)?;
    let position = resolve(&mut tx, to).await?;
    sqlx::query("update event_subscriptions set position = $2 where id = $1")
        .bind(id)
        .bind(position)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "delete from subscription_events
         where subscription_id = $1
           and (parked_at is null or position > $2)",
    )
    .bind(id)
    .bind(position)
    .execute(&mut *tx)
    .await?;
    tx.announce(RELEASED, id.to_string());
    tx.commit().await?;
    Ok(())
}

/// The position of that place.
pub(super) async fn resolve(
    conn: &mut PgConnection,
    start: Start,
) -> Result<i64, SubscriptionError> {
    let head = log::head(conn).await?;
    match start {
        Start::Earliest => Ok(head.feed_floor),
        Start::Latest => Ok(head.last),
        Start::After(cursor) if cursor.epoch != head.epoch || cursor.position > head.last => {
            Err(SubscriptionError::Foreign)
        }
        Start::After(cursor) if cursor.position < head.feed_floor => {
            Err(SubscriptionError::Expired(head.cursor(head.feed_floor)))
        }
        Start::After(cursor) => Ok(cursor.position),
    }
}
