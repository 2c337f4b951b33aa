//! Reads of subscriptions: one, an owner's, those that are furthest behind, and what is parked.

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{
    Acknowledgement, HandedOut, ParkedEvent, Subscription, SubscriptionError, SubscriptionName,
};
use crate::events::log;
use crate::ids::{EventSubscriptionId, UserId};
use crate::limits::{SUBSCRIPTION_BEHIND_AFTER, SUBSCRIPTION_LAG_COUNTED_MAX};
use crate::telemetry::metrics;

/// Subscriptions with their lag, to be followed by conditions.
fn select() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select event_subscriptions.*, epoch, oldest,
                extract(epoch from clock_timestamp() - events.at)::double precision as oldest_age_seconds,
                (
                    select count(*)
                    from subscription_events
                    where subscription_id = event_subscriptions.id and parked_at is null and attempt = 0
                ) as waiting,
                (
                    select count(*)
                    from (
                        select
                        from event_feed
                        where user_id = owner_id and event_feed.position > event_subscriptions.position
                        limit ",
    );
    query.push_bind(SUBSCRIPTION_LAG_COUNTED_MAX).push(
        "
                    ) as unseen
                ) as unseen,
                (
                    select count(*)
                    from subscription_events
                    where subscription_id = event_subscriptions.id and parked_at is null and attempt > 0
                ) as handed_out,
                (
                    select count(*)
                    from subscription_events
                    where subscription_id = event_subscriptions.id and parked_at is not null
                ) as parked
         from event_subscriptions
         cross join event_head
         join event_subscription_lags on subscription_id = event_subscriptions.id
         left join event_order on event_order.position = oldest
         left join events on events.id = event_id
         where ",
    );
    query
}

/// One subscription of the owner.
pub async fn find(
    pool: &PgPool,
    owner: UserId,
    name: &SubscriptionName,
) -> Result<Subscription, SubscriptionError> {
    let mut query = select();
    query.push("owner_id = ").push_bind(owner);
    query.push(" and name = ").push_bind(name);
    let found = query.build_query_as().fetch_optional(pool).await?;
    found.ok_or(SubscriptionError::NotFound)
}

/// All subscriptions of the owner, by name.
pub async fn list(pool: &PgPool, owner: UserId) -> Result<Vec<Subscription>, sqlx::Error> {
    let mut query = select();
    query.push("owner_id = ").push_bind(owner);
    query.push(" order by name");
    query.build_query_as().fetch_all(pool).await
}

/// Everybody's, those first whose oldest event that is not acknowledged is the oldest, after that place in this order.
pub async fn list_most_behind(
    pool: &PgPool,
    after: Option<(i64, EventSubscriptionId)>,
    limit: i64,
) -> Result<Vec<Subscription>, sqlx::Error> {
    let mut query = select();
    match after {
        Some((oldest, id)) => {
            query.push("(coalesce(oldest, ").push_bind(i64::MAX);
            query
                .push("), event_subscriptions.id) > (")
                .push_bind(oldest);
            query.push(", ").push_bind(id).push(")");
        }
        None => {
            query.push("true");
        }
    }
    query.push(" order by oldest nulls last, event_subscriptions.id limit ");
    query.push_bind(limit);
    query.build_query_as().fetch_all(pool).await
}

/// What is parked after that position, oldest first.
pub async fn list_parked(
    pool: &PgPool,
    id: EventSubscriptionId,
    after: i64,
    limit: i64,
) -> Result<Vec<ParkedEvent>, sqlx::Error> {
    let rows: Vec<(i64, i64, i32, DateTime<Utc>)> = sqlx::query_as(
        "select position, fence, attempt, parked_at
         from subscription_events
         join event_order using (position)
         where subscription_id = $1
           and position > $2
           and parked_at is not null
         order by position
         limit $3",
    )
    .bind(id)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let positions: Vec<i64> = rows.iter().map(|(position, ..)| *position).collect();
    let mut events = log::read_at(pool, &positions).await?.into_iter().peekable();
    let parked = rows
        .into_iter()
        .filter_map(|(position, fence, attempt, parked_at)| {
            let event = events.next_if(|event| event.position == position)?;
            let acknowledgement = Acknowledgement { position, fence };
            let handed_out = HandedOut {
                event,
                acknowledgement,
                attempt,
            };
            Some(ParkedEvent {
                handed_out,
                parked_at,
            })
        });
    Ok(parked.collect())
}

/// Shows how many subscriptions are behind, how far the one is that is furthest behind, and how much is parked.
pub async fn observe(pool: &PgPool) -> Result<(), sqlx::Error> {
    let (behind, all, parked): (i64, i64, i64) = sqlx::query_as(
        "select count(*) filter (where at < clock_timestamp() - make_interval(secs => $1)), count(*),
                (select count(*) from subscription_events where parked_at is not null)
         from event_subscription_lags
         left join event_order on position = oldest
         left join events on events.id = event_id",
    )
    .bind(SUBSCRIPTION_BEHIND_AFTER.as_secs_f64())
    .fetch_one(pool)
    .await?;
    let slowest = list_most_behind(pool, None, 1).await?.into_iter().next();
    let metrics = &metrics().events;
    for (state, count) in [("behind", behind), ("current", all - behind)] {
        metrics
            .subscriptions
            .with_label_values(&[state])
            .set(count as f64);
    }
    let unacknowledged = slowest
        .as_ref()
        .map_or(0, |slowest| slowest.behind() + slowest.handed_out);
    metrics.slowest_behind.set(unacknowledged as f64);
    let age = slowest.and_then(|slowest| slowest.oldest_age_seconds);
    metrics.slowest_seconds.set(age.unwrap_or_default());
    metrics.parked.set(parked as f64);
    Ok(())
}
