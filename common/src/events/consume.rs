//! Consumers of the log within the product: each reacts to events of some types, once, in their order.
//!
//! What a consumer writes and the position that it has come to are committed together. Several processes may run the
//! same consumer: one at a time works.

use futures::future::BoxFuture;

use super::TypeFilter;
use super::log::{self, LoggedEvent};
use crate::limits::CONSUMED_EVENTS_MAX;
use crate::outbox::{Outbox, Tx};

/// A reaction that is under way.
pub type Reaction<'a> = BoxFuture<'a, Result<(), sqlx::Error>>;

/// Somebody who reacts to events.
#[derive(Clone, Copy)]
pub struct Consumer {
    /// Its position is kept under this name.
    pub name: &'static str,
    /// Types or families of types.
    pub types: &'static [&'static str],
    /// Deals with events of those types, in the transaction that remembers that it has.
    pub react: for<'a> fn(&'a mut Tx, &'a [LoggedEvent]) -> Reaction<'a>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.name)
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}

/// Lets a consumer deal with what comes next. True if there may be more at once; not if it is at the end of the log, or
/// another process is working for it.
pub async fn consume_next(outbox: &Outbox, consumer: &Consumer) -> Result<bool, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let position: Option<i64> = sqlx::query_scalar(
        "select position
         from event_consumers
         where name = $1
         for update skip locked",
    )
    .bind(consumer.name)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(position) = position else {
        sqlx::query("insert into event_consumers (name) values ($1) on conflict do nothing")
            .bind(consumer.name)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        return Ok(false);
    };
    let mut events = log::read_after(&mut *tx, position, CONSUMED_EVENTS_MAX).await?;
    let Some(newest) = events.last() else {
        return Ok(false);
    };
    let newest = newest.position;
    let is_full = events.len() as i64 == CONSUMED_EVENTS_MAX;
    let types: Vec<TypeFilter> = consumer
        .types
        .iter()
        .map(|filter| TypeFilter::parse(filter).expect("written in this program"))
        .collect();
    events.retain(|event| types.iter().any(|filter| filter.matches(&event.event_type)));
    if !events.is_empty() {
        (consumer.react)(&mut tx, &events).await?;
    }
    sqlx::query("update event_consumers set position = $2, updated_at = now() where name = $1")
        .bind(consumer.name)
        .bind(newest)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(is_full)
}
