//! Reads of events.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::ids::{EventId, UserId};

/// An event as its owner sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventRow {
    pub id: EventId,
    pub event_type: String,
    pub subject: Uuid,
    pub sequence: i64,
    pub occurred_at: DateTime<Utc>,
    pub expunged_at: Option<DateTime<Utc>>,
    pub trace: String,
    /// The stored bytes; none in lists, and once they are gone.
    #[sqlx(default)]
    pub body: Option<Vec<u8>>,
}

/// Which events of an owner; the newest first.
#[derive(Debug, Clone)]
pub struct EventFilter {
    pub owner: UserId,
    pub event_type: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only those with a lower sequence.
    pub before: Option<i64>,
    pub limit: i64,
}

/// One event of the owner, with its bytes.
pub async fn find_event(
    pool: &PgPool,
    id: EventId,
    owner: UserId,
) -> Result<Option<EventRow>, sqlx::Error> {
    sqlx::query_as(
        "select id, event_type, subject, sequence, occurred_at, expunged_at, trace, body
         from webhook_events
         left join webhook_bodies
           on event_id = id and day = body_day
         where id = $1
           and owner_id = $2",
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(pool)
    .await
}

/// A page of them.
pub async fn list_events(
    pool: &PgPool,
    filter: &EventFilter,
) -> Result<Vec<EventRow>, sqlx::Error> {
    sqlx::query_as(
        "select id, event_type, subject, sequence, occurred_at, expunged_at, trace
         from webhook_events
         where owner_id = $1
           and ($2::text is null or event_type = $2)
           and ($3::timestamptz is null or occurred_at >= $3)
           and ($4::timestamptz is null or occurred_at < $4)
           and ($5::bigint is null or sequence < $5)
         order by sequence desc
         limit $6",
    )
    .bind(filter.owner)
    .bind(&filter.event_type)
    .bind(filter.since)
    .bind(filter.until)
    .bind(filter.before)
    .bind(filter.limit)
    .fetch_all(pool)
    .await
}
