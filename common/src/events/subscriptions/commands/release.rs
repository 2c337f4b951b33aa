//! Gives events back before their deadline.

use std::collections::BTreeSet;

use super::acknowledge::columns;
use crate::db;
use crate::events::subscriptions::{
    Acknowledgement, RELEASED, Settled, SubscriptionError, SubscriptionName,
};
use crate::ids::{EventSubscriptionId, UserId};
use crate::outbox::Outbox;

/// Lets events come again after so many seconds. The attempt counts.
pub async fn release(
    outbox: &Outbox,
    owner: UserId,
    name: &SubscriptionName,
    given: &BTreeSet<Acknowledgement>,
    retry_in_seconds: i32,
) -> Result<Settled, SubscriptionError> {
    let (positions, fences) = columns(given);
    let mut writer = db::writer(outbox.pool()).await?;
    let released: Option<(EventSubscriptionId, Vec<i64>)> = sqlx::query_as(
        "with held as materialized (
             select id from event_subscriptions where owner_id = $1 and name = $2 for update
         ), released as (
             update subscription_events
             set due_at = clock_timestamp() + make_interval(secs => $5)
             from held, unnest($3::bigint[], $4::bigint[]) as given (position, fence)
             where subscription_id = held.id
               and subscription_events.position = given.position
               and subscription_events.fence = given.fence
               and parked_at is null
             returning subscription_events.position
         )
         select id, (select coalesce(array_agg(position), '{}') from released)
         from held",
    )
    .bind(owner)
    .bind(name)
    .bind(positions)
    .bind(fences)
    .bind(f64::from(retry_in_seconds))
    .persistent(false)
    .fetch_optional(&mut *writer)
    .await?;
    writer.finish().await?;
    let (id, released) = released.ok_or(SubscriptionError::NotFound)?;
    if !released.is_empty() {
        outbox.announce(RELEASED, &id.to_string());
    }
    let late = given
        .iter()
        .filter(|given| !released.contains(&given.position));
    Ok(Settled {
        done: released.len(),
        late: late.copied().collect(),
    })
}
