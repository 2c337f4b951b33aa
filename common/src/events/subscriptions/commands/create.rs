//! Makes a subscription. Who asks again for the same gets the same.

use crate::events::TypeFilter;
use crate::events::subscriptions::{NewSubscription, SubscriptionError};
use crate::ids::EventSubscriptionId;
use crate::limits::EVENT_SUBSCRIPTIONS_MAX;
use crate::outbox::Outbox;

use super::seek::resolve;

/// Makes it: whether it is new. Where to begin counts for a new one alone.
pub async fn create(outbox: &Outbox, new: &NewSubscription) -> Result<bool, SubscriptionError> {
    let mut tx = outbox.begin().await?;
    // One after the other for one owner, so that the count holds.
    sqlx::query("select from users where id = $1 for no key update")
        .bind(new.owner)
        .execute(&mut *tx)
        .await?;
    let types: Vec<&str> = new.types.iter().map(TypeFilter::as_str).collect();
    let is_same: Option<bool> = sqlx::query_scalar(
        "select types = $3 and ids = $4 and ack_seconds = $5
         from event_subscriptions
         where owner_id = $1
           and name = $2",
    )
    .bind(new.owner)
    .bind(&new.name)
    .bind(&types)
    .bind(&new.ids)
    .bind(new.ack_seconds)
    .fetch_optional(&mut *tx)
    .await?;
    match is_same {
        Some(true) => return Ok(false),
        Some(false) => return Err(SubscriptionError::Differs),
        None => {}
    }
    let count: i64 =
        sqlx::query_scalar("select count(*) from event_subscriptions where owner_id = $1")
            .bind(new.owner)
            .fetch_one(&mut *tx)
            .await?;
    if count >= EVENT_SUBSCRIPTIONS_MAX {
        return Err(SubscriptionError::TooMany);
    }
    let position = resolve(&mut tx, new.start).await?;
    sqlx::query(
        "insert into event_subscriptions (id, owner_id, name, types, ids, position, ack_seconds)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(EventSubscriptionId::new())
    .bind(new.owner)
    .bind(&new.name)
    .bind(&types)
    .bind(&new.ids)
    .bind(position)
    .bind(new.ack_seconds)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}
