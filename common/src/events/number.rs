//! Positions for events that have been committed. The scheduler that leads does this, round after round.

use sqlx::PgPool;

use super::subscriptions;
use crate::limits::EVENTS_NUMBERED_MAX;
use crate::telemetry::metrics;

/// The topic that is announced when events have got positions.
pub const NUMBERED: &str = "events-numbered";

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Events that have a position now.
    pub numbered: i64,
    /// The end of the log.
    pub head: i64,
}

impl Round {
    /// Whether there may be more.
    pub fn is_full(&self) -> bool {
        self.numbered >= i64::from(EVENTS_NUMBERED_MAX)
    }
}

/// A round.
pub async fn number_next(pool: &PgPool) -> Result<Round, sqlx::Error> {
    let (numbered, head): (i64, i64) =
        sqlx::query_as("select numbered, last_position from number_events($1)")
            .bind(EVENTS_NUMBERED_MAX)
            .fetch_one(pool)
            .await?;
    metrics()
        .events
        .numbered
        .inc_by(u64::try_from(numbered).unwrap_or_default());
    Ok(Round { numbered, head })
}

/// Shows for how long the oldest event without a position has waited, and how far consumers and subscriptions are behind.
pub async fn observe(pool: &PgPool) -> Result<(), sqlx::Error> {
    let oldest: Option<f64> = sqlx::query_scalar(
        "select extract(epoch from clock_timestamp() - at)::double precision
         from event_pending
         join events on events.id = event_id
         order by event_id
         limit 1",
    )
    .fetch_optional(pool)
    .await?;
    let metrics = metrics();
    metrics
        .events
        .unnumbered_seconds
        .set(oldest.unwrap_or_default());
    let behind: Vec<(String, f64)> = sqlx::query_as(
        "select name, (last - position)::double precision
         from event_consumers
         cross join event_head",
    )
    .fetch_all(pool)
    .await?;
    for (consumer, events) in behind {
        metrics
            .events
            .behind
            .with_label_values(&[&consumer])
            .set(events);
    }
    subscriptions::observe(pool).await
}
