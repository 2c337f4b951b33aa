//! Appends to streams, in the transaction of what happened.

use serde_json::Value;
use sqlx::PgConnection;
use thiserror::Error;
use uuid::Uuid;

use super::{APPENDED, cause};
use crate::ids::UserId;
use crate::outbox::Tx;

/// Appends an event that whoever may see the stream may see. The caller holds the row that the stream is about, or has
/// just written it: nobody else appends meanwhile.
pub async fn append_in_tx(
    tx: &mut Tx,
    stream: Uuid,
    event_type: &str,
    trace: &str,
    data: Value,
) -> Result<(), sqlx::Error> {
    append_for_in_tx(tx, stream, event_type, trace, data, None).await
}

/// The same for an event that others may see than the rest of its stream.
pub async fn append_for_in_tx(
    tx: &mut Tx,
    stream: Uuid,
    event_type: &str,
    trace: &str,
    data: Value,
    audience: Option<&[UserId]>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into events (stream, version, event_type, trace, data, audience, causation)
         select $1, 1 + coalesce(max(version), 0), $2, $3, $4, $5, $6
         from events
         where stream = $1",
    )
    .bind(stream)
    .bind(event_type)
    .bind(trace)
    .bind(data)
    .bind(audience)
    .bind(cause::current())
    .execute(&mut **tx)
    .await?;
    tx.announce_once(APPENDED);
    Ok(())
}

/// The version that a stream must have for an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Any,
    /// Zero means that the stream must have no event yet.
    Version(i64),
}

/// An event to append.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub event_type: String,
    /// The version of what its data means.
    pub schema: i16,
    /// A JSON object.
    pub data: Value,
}

/// The versions that events have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub first: i64,
    pub last: i64,
}

/// Why events were not appended.
#[derive(Debug, Error)]
pub enum AppendError {
    #[error("the stream is at version {actual}, not {expected}")]
    Conflict { expected: i64, actual: i64 },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Appends events if the stream has the expected version. Appends to one stream come one after the other, each until the
/// end of its transaction.
pub async fn append_expecting_in_tx(
    tx: &mut Tx,
    stream: Uuid,
    expected: Expected,
    events: &[NewEvent],
    trace: &str,
) -> Result<Appended, AppendError> {
    lock_in_tx(tx, stream).await?;
    // In a statement of its own, which sees what was committed while this one waited.
    let actual: i64 =
        sqlx::query_scalar("select coalesce(max(version), 0) from events where stream = $1")
            .bind(stream)
            .fetch_one(&mut **tx)
            .await?;
    match expected {
        Expected::Version(expected) if expected != actual => {
            return Err(AppendError::Conflict { expected, actual });
        }
        Expected::Any | Expected::Version(_) => {}
    }
    let types: Vec<&str> = events
        .iter()
        .map(|event| event.event_type.as_str())
        .collect();
    let schemas: Vec<i16> = events.iter().map(|event| event.schema).collect();
    let data: Vec<&Value> = events.iter().map(|event| &event.data).collect();
    sqlx::query(
        "insert into events (stream, version, event_type, schema, data, trace)
         select $1, $2 + ordinal, event_type, schema, data, $6
         from unnest($3::text[], $4::smallint[], $5::jsonb[]) with ordinality
             as appended (event_type, schema, data, ordinal)
         order by ordinal",
    )
    .bind(stream)
    .bind(actual)
    .bind(types)
    .bind(schemas)
    .bind(data)
    .bind(trace)
    .execute(&mut **tx)
    .await?;
    tx.announce_once(APPENDED);
    Ok(Appended {
        first: actual + 1,
        last: actual + events.len() as i64,
    })
}

async fn lock_in_tx(conn: &mut PgConnection, stream: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('event_stream:' || $1::text, 0))")
        .bind(stream)
        .execute(conn)
        .await?;
    Ok(())
}
