//! Streams: their names, and who may see them.

use std::fmt::{self, Display};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use thiserror::Error;
use uuid::Uuid;

use crate::ids::UserId;
use crate::limits::{
    CLIENT_STREAM_CATEGORY_BYTES_MAX, CLIENT_STREAM_NAME_BYTES_MAX, CLIENT_STREAMS_MAX,
    EVENTS_PRUNED_MAX,
};

/// What a stream of the market is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Upload,
    Package,
    Purchase,
    AgentTask,
    Dispute,
    Payout,
}

impl Category {
    const ALL: [Self; 6] = [
        Self::Upload,
        Self::Package,
        Self::Purchase,
        Self::AgentTask,
        Self::Dispute,
        Self::Payout,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Package => "package",
            Self::Purchase => "purchase",
            Self::AgentTask => "agent_task",
            Self::Dispute => "dispute",
            Self::Payout => "payout",
        }
    }

    /// The name of the stream about that thing.
    pub fn stream_of(self, id: impl Display) -> String {
        format!("{self}-{id}")
    }
}

impl Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stream of the market that begins.
#[derive(Debug, Clone)]
pub struct NewStream<'a> {
    /// The same as that of the row that it is about.
    pub id: Uuid,
    pub name: String,
    /// Who may see its events, where an event does not say otherwise.
    pub audience: &'a [UserId],
}

/// Opens a stream of the market, in the transaction that makes what it is about.
pub async fn open_in_tx(conn: &mut PgConnection, new: &NewStream<'_>) -> Result<(), sqlx::Error> {
    sqlx::query("insert into event_streams (id, name, audience) values ($1, $2, $3)")
        .bind(new.id)
        .bind(&new.name)
        .bind(new.audience)
        .execute(conn)
        .await?;
    Ok(())
}

/// Opens the caller's own stream of that name, unless it is open: its id, or none if the caller has too many.
pub async fn open_own_in_tx(
    conn: &mut PgConnection,
    owner: UserId,
    name: &str,
) -> Result<Option<Uuid>, sqlx::Error> {
    let find = "select id from event_streams where owner_id = $1 and name = $2";
    let known: Option<Uuid> = sqlx::query_scalar(find)
        .bind(owner)
        .bind(name)
        .fetch_optional(&mut *conn)
        .await?;
    if known.is_some() {
        return Ok(known);
    }
    sqlx::query(
        "insert into event_streams (id, name, owner_id, audience)
         select $1, $2, $3, array[$3]
         where (select count(*) from event_streams where owner_id = $3) < $4
         on conflict do nothing",
    )
    .bind(Uuid::now_v7())
    .bind(name)
    .bind(owner)
    .bind(CLIENT_STREAMS_MAX)
    .execute(&mut *conn)
    .await?;
    // Another request may have opened it meanwhile.
    sqlx::query_scalar(find)
        .bind(owner)
        .bind(name)
        .fetch_optional(conn)
        .await
}

/// The form of a stream's name, for schemas.
pub const STREAM_NAME_PATTERN: &str = "^[a-z][a-z0-9_]*-[A-Za-z0-9_.:-]+$";

/// Why a text is no name of a stream.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum StreamNameError {
    #[error(
        "must be a category, a hyphen and an id, such as `orders-17`: the category of lower-case letters, digits and \
         `_`, the id of letters, digits and `_.:-`"
    )]
    Form,
    #[error("streams of the category `{0}` belong to the market")]
    Reserved(Category),
}

/// Reads the name of a stream: whether it is one of the market, or why it is none.
pub fn parse_name(name: &str) -> Result<Option<Category>, StreamNameError> {
    let (category, id) = name.split_once('-').ok_or(StreamNameError::Form)?;
    let is_category = category.starts_with(|first: char| first.is_ascii_lowercase())
        && category.len() <= CLIENT_STREAM_CATEGORY_BYTES_MAX
        && category
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let is_id = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
    if !is_category || !is_id || name.len() > CLIENT_STREAM_NAME_BYTES_MAX {
        return Err(StreamNameError::Form);
    }
    let mut reserved = Category::ALL.into_iter();
    Ok(reserved.find(|reserved| reserved.as_str() == category))
}

/// A stream.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StreamRow {
    pub id: Uuid,
    pub name: String,
    pub owner_id: Option<UserId>,
    pub floor: i64,
    /// The version of its last event that the reader may see.
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

/// The stream of that name which a user may see something of: its own, or one of the market.
pub async fn find_visible(
    pool: &PgPool,
    user: UserId,
    name: &str,
) -> Result<Option<StreamRow>, sqlx::Error> {
    let category = parse_name(name).ok().flatten();
    sqlx::query_as(
        "select id, name, owner_id, floor, created_at, version
         from event_streams
         cross join lateral (
             select max(version) as version
             from events
             where stream = event_streams.id
               and $1 = any(coalesce(events.audience, event_streams.audience))
         ) as seen
         where name = $2
           and owner_id is not distinct from $3
           and version is not null",
    )
    .bind(user)
    .bind(name)
    .bind(category.is_none().then_some(user))
    .fetch_optional(pool)
    .await
}

/// The id of a client's stream, or of one of the market.
pub async fn find_id(
    pool: &PgPool,
    owner: Option<UserId>,
    name: &str,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "select id from event_streams where name = $1 and owner_id is not distinct from $2",
    )
    .bind(name)
    .bind(owner)
    .fetch_optional(pool)
    .await
}

/// The streams that a user appends to, by name.
pub async fn list_own(
    pool: &PgPool,
    owner: UserId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StreamRow>, sqlx::Error> {
    sqlx::query_as(
        "select id, name, owner_id, floor, created_at,
                (select coalesce(max(version), 0) from events where stream = event_streams.id) as version
         from event_streams
         where owner_id = $1
           and ($2::text is null or name > $2)
         order by name
         limit $3",
    )
    .bind(owner)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// Forgets what users may see of events that are older: a step, and how many rows. A reader who is further behind is
/// sent to the new floor.
pub async fn prune_feed(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    prune(
        pool,
        "select prune_event_feed(now() - make_interval(secs => $1), $2)",
        kept,
    )
    .await
}

/// Forgets older events of clients' streams which a snapshot holds: a step, and how many.
pub async fn prune_streams(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    prune(
        pool,
        "select prune_stream_events(now() - make_interval(secs => $1), $2)",
        kept,
    )
    .await
}

async fn prune(pool: &PgPool, statement: &'static str, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned: i64 = sqlx::query_scalar(statement)
        .bind(kept.as_secs_f64())
        .bind(EVENTS_PRUNED_MAX)
        .fetch_one(pool)
        .await?;
    Ok(pruned.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_category_and_an_id() {
        for name in ["orders-17", "a_1-x.y:z-0", "cart-ABC"] {
            assert_eq!(parse_name(name), Ok(None), "{name}");
        }
        for name in [
            "",
            "orders",
            "-17",
            "orders-",
            "Orders-1",
            "1a-b",
            "orders-ü",
            "orders-a b",
            "a/b-c",
        ] {
            assert_eq!(parse_name(name), Err(StreamNameError::Form), "{name}");
        }
    }

    #[test]
    fn the_names_of_the_market_are_read_as_its_categories() {
        for category in Category::ALL {
            assert_eq!(parse_name(&category.stream_of("4711")), Ok(Some(category)));
        }
    }
}
