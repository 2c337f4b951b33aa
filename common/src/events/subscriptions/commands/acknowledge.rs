//! Acknowledges events: they do not come again.

use std::collections::BTreeSet;

use sqlx::PgPool;

use crate::db;
use crate::events::subscriptions::{
    Acknowledgement, RELEASED, Settled, SubscriptionError, SubscriptionName,
};
use crate::ids::{EventSubscriptionId, UserId};
use crate::outbox::Outbox;

/// Acknowledges what was handed out last under these fences. Said twice, it is acknowledged once.
pub async fn acknowledge(
    outbox: &Outbox,
    owner: UserId,
    name: &SubscriptionName,
    given: &BTreeSet<Acknowledgement>,
) -> Result<Settled, SubscriptionError> {
    let (positions, fences) = columns(given);
    let mut writer = db::writer(outbox.pool()).await?;
    let acknowledged: Option<(EventSubscriptionId, Vec<i64>, bool)> = sqlx::query_as(
        "with held as materialized (
             select id from event_subscriptions where owner_id = $1 and name = $2 for update
         ), gone as (
             delete from subscription_events
             using held, unnest($3::bigint[], $4::bigint[]) as given (position, fence)
             where subscription_id = held.id
               and subscription_events.position = given.position
               and subscription_events.fence = given.fence
             returning subscription_events.position, stream
         )
         select id,
                (select coalesce(array_agg(position), '{}') from gone),
                exists (
                    select
                    from subscription_events
                    where subscription_id = held.id
                      and parked_at is null
                      and stream in (select stream from gone)
                      and position not in (select position from gone)
                )
         from held",
    )
    .bind(owner)
    .bind(name)
    .bind(positions)
    .bind(fences)
    .persistent(false)
    .fetch_optional(&mut *writer)
    .await?;
    writer.finish().await?;
    let (id, gone, frees_streams) = acknowledged.ok_or(SubscriptionError::NotFound)?;
    if frees_streams {
        outbox.announce(RELEASED, &id.to_string());
    }
    let gone: BTreeSet<i64> = gone.into_iter().collect();
    let rest = given
        .iter()
        .filter(|given| !gone.contains(&given.position))
        .copied();
    let late = find_late(outbox.pool(), id, rest.collect()).await?;
    Ok(Settled {
        done: given.len() - late.len(),
        late,
    })
}

/// Of those that acknowledged nothing, the ones whose events will come again or have: the others were acknowledged before.
async fn find_late(
    pool: &PgPool,
    id: EventSubscriptionId,
    rest: Vec<Acknowledgement>,
) -> Result<Vec<Acknowledgement>, sqlx::Error> {
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let (positions, _) = columns(&rest);
    let open: Vec<i64> = sqlx::query_scalar(
        "select given.position
         from event_subscriptions
         cross join unnest($2::bigint[]) as given (position)
         where id = $1
           and (
               given.position > event_subscriptions.position
               or exists (
                   select
                   from subscription_events
                   where subscription_id = id
                     and subscription_events.position = given.position
               )
           )",
    )
    .bind(id)
    .bind(positions)
    .fetch_all(pool)
    .await?;
    let open: BTreeSet<i64> = open.into_iter().collect();
    let late = rest
        .into_iter()
        .filter(|given| open.contains(&given.position));
    Ok(late.collect())
}

/// As SQL takes them.
pub(super) fn columns<'a>(
    given: impl IntoIterator<Item = &'a Acknowledgement>,
) -> (Vec<i64>, Vec<i64>) {
    given
        .into_iter()
        .map(|given| (given.position, given.fence))
        .unzip()
}
