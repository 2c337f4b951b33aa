//! Reads of the log: of all, of what a user may see, and of one stream.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Cursor, StreamRow};
use crate::ids::{JobId, UserId};

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct LoggedEvent {
    pub position: i64,
    pub stream: Uuid,
    /// None for what has no name: nobody but the market sees it.
    pub stream_name: Option<String>,
    pub version: i64,
    pub event_type: String,
    pub schema: i16,
    pub data: Value,
    pub trace: String,
    pub at: DateTime<Utc>,
    pub audience: Vec<UserId>,
}

const SELECT: &str =
    "select position, stream, name as stream_name, version, event_type, schema, data, trace, at,
            coalesce(events.audience, event_streams.audience, '{}') as audience
     ";
const JOINED: &str = "
     join events on events.id = event_id
     left join event_streams on event_streams.id = stream
     where position > ";

/// What comes after a position, in its order.
///
/// (A plan that was made for these tables while they were empty would read all of them when they are full: each read is
/// planned anew.)
pub(super) async fn read_after(
    executor: impl PgExecutor<'_>,
    position: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(SELECT);
    query
        .push("from event_order")
        .push(JOINED)
        .push_bind(position);
    query.push(" order by position limit ").push_bind(limit);
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(executor)
        .await
}

/// What is at these positions, in its order.
pub(super) async fn read_at(
    pool: &PgPool,
    positions: &[i64],
) -> Result<Vec<LoggedEvent>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(SELECT);
    query.push("from event_order").push(JOINED).push_bind(0_i64);
    query.push(" and position = any(").push_bind(positions);
    query.push(") order by position");
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await
}

/// What a user may see between two positions, in its order.
pub(super) async fn read_feed(
    pool: &PgPool,
    user: UserId,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(SELECT);
    query.push("from event_feed join event_order using (position)");
    query.push(JOINED).push_bind(after);
    query.push(" and position <= ").push_bind(up_to);
    query.push(" and user_id = ").push_bind(user);
    query.push(" order by position limit ").push_bind(limit);
    query
        .build_query_as()
        .persistent(false)
        .fetch_all(pool)
        .await
}

/// The log as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Head {
    pub epoch: i32,
    pub last: i64,
    pub feed_floor: i64,
}

impl Head {
    /// The place after that position.
    pub fn cursor(self, position: i64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            position,
        }
    }
}

/// Where the log ends.
pub(super) async fn head(executor: impl PgExecutor<'_>) -> Result<Head, sqlx::Error> {
    sqlx::query_as("select epoch, last, feed_floor from event_head")
        .fetch_one(executor)
        .await
}

/// In which order a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forwards,
    Backwards,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct StreamEvent {
    pub version: i64,
    pub event_type: String,
    pub schema: i16,
    pub data: Value,
    pub trace: String,
    pub at: DateTime<Utc>,
}

/// An event as operators see it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct HistoryEvent {
    pub version: i64,
    pub event_type: String,
    pub data: Value,
    /// The request that it goes back to.
    pub trace: String,
    /// The job that wrote it; none if the request did so itself.
    pub causation: Option<JobId>,
    pub at: DateTime<Utc>,
}

/// Events of a stream that a user may see, beyond that version in the direction of the reading.
pub async fn list_stream(
    pool: &PgPool,
    user: UserId,
    stream: &StreamRow,
    direction: Direction,
    from: Option<i64>,
    limit: i64,
) -> Result<Vec<StreamEvent>, sqlx::Error> {
    let (beyond, order) = match direction {
        Direction::Forwards => (" and version > ", " order by version limit "),
        Direction::Backwards => (" and version < ", " order by version desc limit "),
    };
    let mut query = QueryBuilder::<Postgres>::new(
        "select version, event_type, schema, data, trace, at
         from events
         join event_streams on event_streams.id = stream
         where stream = ",
    );
    query.push_bind(stream.id).push(" and ").push_bind(user);
    query.push(" = any(coalesce(events.audience, event_streams.audience))");
    if let Some(from) = from {
        query.push(beyond).push_bind(from);
    }
    query.push(order).push_bind(limit);
    query.build_query_as().fetch_all(pool).await
}

/// The newest events of a stream, whoever may see them, the newest first.
pub async fn list_history(
    pool: &PgPool,
    stream: Uuid,
    limit: i64,
) -> Result<Vec<HistoryEvent>, sqlx::Error> {
    sqlx::query_as(
        "select version, event_type, data, trace, causation, at
         from events
         where stream = $1
         order by version desc
         limit $2",
    )
    .bind(stream)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// What the first event of that type said about a thing.
pub async fn find_first(
    pool: &PgPool,
    stream: Uuid,
    event_type: &str,
) -> Result<Option<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "select data
         from events
         where stream = $1
           and event_type = $2
         order by version
         limit 1",
    )
    .bind(stream)
    .bind(event_type)
    .fetch_optional(pool)
    .await
}
