//! Hands out the next events of a subscription.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgPool;

use crate::db;
use crate::events::subscriptions::{
    Acknowledgement, Batch, HandedOut, SubscriptionError, SubscriptionName,
};
use crate::events::{Cursor, log};
use crate::ids::{EventSubscriptionId, UserId};
use crate::limits::{SUBSCRIPTION_ATTEMPTS_MAX, SUBSCRIPTION_PARKED_MAX, SUBSCRIPTION_WINDOW_MAX};

/// What `fetch_subscription_events` returns.
#[derive(Debug, sqlx::FromRow)]
struct Fetched {
    subscription_id: EventSubscriptionId,
    positions: Vec<i64>,
    attempts: Vec<i32>,
    new_fence: i64,
    log_epoch: i32,
    earliest: Option<i64>,
    has_more: bool,
    next_due_seconds: Option<f64>,
}

/// Hands out up to so many events. They come again after their deadline if they are not acknowledged: also if this
/// process ends before anybody sees them.
pub async fn fetch(
    pool: &PgPool,
    owner: UserId,
    name: &SubscriptionName,
    limit: i32,
) -> Result<Batch, SubscriptionError> {
    let mut writer = db::writer(pool).await?;
    let fetched: Option<Fetched> =
        sqlx::query_as("select * from fetch_subscription_events($1, $2, $3, $4, $5, $6)")
            .bind(owner)
            .bind(name)
            .bind(limit)
            .bind(SUBSCRIPTION_WINDOW_MAX)
            .bind(SUBSCRIPTION_ATTEMPTS_MAX)
            .bind(SUBSCRIPTION_PARKED_MAX)
            .fetch_optional(&mut *writer)
            .await?;
    writer.finish().await?;
    let fetched = fetched.ok_or(SubscriptionError::NotFound)?;
    if let Some(position) = fetched.earliest {
        return Err(SubscriptionError::Expired(Cursor {
            epoch: fetched.log_epoch,
            position,
        }));
    }
    let mut events = Vec::new();
    if !fetched.positions.is_empty() {
        events = log::read_at(pool, &fetched.positions).await?;
    }
    let mut has_more = fetched.has_more;
    if events.len() < fetched.positions.len() {
        forget_pruned(pool, &fetched).await?;
        has_more = true;
    }
    let next_due = fetched.next_due_seconds.map(|seconds| seconds.max(0.0));
    let attempts: HashMap<i64, i32> = fetched
        .positions
        .into_iter()
        .zip(fetched.attempts)
        .collect();
    let hand_out = |event: log::LoggedEvent| HandedOut {
        acknowledgement: Acknowledgement {
            position: event.position,
            fence: fetched.new_fence,
        },
        attempt: attempts.get(&event.position).copied().unwrap_or_default(),
        event,
    };
    Ok(Batch {
        subscription: fetched.subscription_id,
        epoch: fetched.log_epoch,
        events: events.into_iter().map(hand_out).collect(),
        has_more,
        next_due: next_due.map(Duration::from_secs_f64),
    })
}

/// Takes out of the window what is no longer in the log: a client's stream may be pruned.
async fn forget_pruned(pool: &PgPool, fetched: &Fetched) -> Result<(), sqlx::Error> {
    let mut writer = db::writer(pool).await?;
    sqlx::query(
        "delete from subscription_events
         where subscription_id = $1
           and position = any($2)
           and not exists (select from event_order where event_order.position = subscription_events.position)",
    )
    .bind(fetched.subscription_id)
    .bind(&fetched.positions)
    .execute(&mut *writer)
    .await?;
    writer.finish().await
}
