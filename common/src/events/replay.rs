//! The state of a stream: the fold of its events, from the best snapshot on.

use futures::FutureExt as _;
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgPool};
use thiserror::Error;
use uuid::Uuid;

use super::{LoggedEvent, Reaction};
use crate::limits::{REPLAYED_EVENTS_MAX, SNAPSHOT_EVERY, SNAPSHOTS_KEPT};
use crate::outbox::Tx;

/// The version of [`fold`]: a snapshot of another one is not read.
pub const SNAPSHOT_SCHEMA: i16 = 1;

/// A state, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    pub state: Map<String, Value>,
    /// The version of the last event in it; zero for a stream without events.
    pub version: i64,
    /// The version of the snapshot that the replay began with.
    pub snapshot: Option<i64>,
    /// Events that were read.
    pub events: usize,
}

/// Why there is no state.
#[derive(Debug, Error)]
pub enum ReplayError {
    #[error("the stream has no version {0}")]
    NoVersion(i64),
    #[error("events up to version {floor} were pruned, and no snapshot is older")]
    Pruned { floor: i64 },
    #[error("more than {REPLAYED_EVENTS_MAX} events have no snapshot yet")]
    TooMany,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Applies what an event says to a state: a merge patch (RFC 7396).
pub fn fold(state: &mut Map<String, Value>, data: &Value) {
    let Some(patch) = data.as_object() else {
        return;
    };
    for (name, value) in patch {
        match value {
            Value::Null => {
                state.remove(name);
            }
            Value::Object(_) => {
                let field = state.entry(name).or_insert(Value::Null);
                if !field.is_object() {
                    *field = Value::Object(Map::new());
                }
                if let Some(inner) = field.as_object_mut() {
                    fold(inner, value);
                }
            }
            value => {
                state.insert(name.clone(), value.clone());
            }
        }
    }
}

/// The state at a version, or at the newest one: the newest snapshot that is not younger, and the events after it.
pub async fn replay(
    pool: &PgPool,
    stream: Uuid,
    up_to: Option<i64>,
) -> Result<Replayed, ReplayError> {
    let mut conn = pool.acquire().await?;
    replay_on(&mut conn, stream, up_to).await
}

async fn replay_on(
    conn: &mut PgConnection,
    stream: Uuid,
    up_to: Option<i64>,
) -> Result<Replayed, ReplayError> {
    let snapshot = find_snapshot(conn, stream, up_to).await?;
    let mut replayed = Replayed {
        state: Map::new(),
        version: 0,
        snapshot: snapshot.as_ref().map(|(version, _)| *version),
        events: 0,
    };
    if let Some((version, Value::Object(state))) = snapshot {
        replayed.state = state;
        replayed.version = version;
    }
    let rows: Vec<(i64, Value)> = sqlx::query_as(
        "select version, data
         from events
         where stream = $1
           and version > $2
           and ($3::bigint is null or version <= $3)
         order by version
         limit $4",
    )
    .bind(stream)
    .bind(replayed.version)
    .bind(up_to)
    .bind(REPLAYED_EVENTS_MAX + 1)
    .fetch_all(&mut *conn)
    .await?;
    if rows.len() as i64 > REPLAYED_EVENTS_MAX {
        return Err(ReplayError::TooMany);
    }
    replayed.events = rows.len();
    for (version, data) in rows {
        if version != replayed.version + 1 {
            return Err(ReplayError::Pruned { floor: version - 1 });
        }
        fold(&mut replayed.state, &data);
        replayed.version = version;
    }
    match up_to {
        Some(wanted) if wanted != replayed.version => Err(find_reason(conn, stream, wanted).await?),
        _ => Ok(replayed),
    }
}

/// Why a stream has no state at a version.
async fn find_reason(
    conn: &mut PgConnection,
    stream: Uuid,
    wanted: i64,
) -> Result<ReplayError, sqlx::Error> {
    let oldest: Option<i64> =
        sqlx::query_scalar("select min(version) from events where stream = $1")
            .bind(stream)
            .fetch_one(conn)
            .await?;
    Ok(match oldest {
        Some(oldest) if wanted < oldest => ReplayError::Pruned { floor: oldest - 1 },
        _ => ReplayError::NoVersion(wanted),
    })
}

async fn find_snapshot(
    conn: &mut PgConnection,
    stream: Uuid,
    up_to: Option<i64>,
) -> Result<Option<(i64, Value)>, sqlx::Error> {
    sqlx::query_as(
        "select version, state
         from event_snapshots
         where stream = $1
           and schema = $2
           and ($3::bigint is null or version <= $3)
         order by version desc
         limit 1",
    )
    .bind(stream)
    .bind(SNAPSHOT_SCHEMA)
    .bind(up_to)
    .fetch_optional(conn)
    .await
}

/// Keeps the state of a stream at a version, and forgets all but the newest snapshots. Done twice, it is kept once.
async fn snapshot_in_tx(
    conn: &mut PgConnection,
    stream: Uuid,
    version: i64,
) -> Result<(), ReplayError> {
    let replayed = replay_on(conn, stream, Some(version)).await?;
    sqlx::query(
        "insert into event_snapshots (stream, version, schema, state)
         values ($1, $2, $3, $4)
         on conflict do nothing",
    )
    .bind(stream)
    .bind(version)
    .bind(SNAPSHOT_SCHEMA)
    .bind(Value::Object(replayed.state))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "delete from event_snapshots
         where stream = $1
           and version <= (
               select version
               from event_snapshots
               where stream = $1
               order by version desc
               offset $2
               limit 1
           )",
    )
    .bind(stream)
    .bind(SNAPSHOTS_KEPT)
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the snapshots that are due at these events.
pub fn make_snapshots<'a>(tx: &'a mut Tx, events: &'a [LoggedEvent]) -> Reaction<'a> {
    async move {
        for event in events {
            if event.version % SNAPSHOT_EVERY != 0 {
                continue;
            }
            match snapshot_in_tx(tx, event.stream, event.version).await {
                Ok(()) => {}
                Err(ReplayError::Database(error)) => return Err(error),
                Err(error) => tracing::warn!(%error, stream = %event.stream, "Made no snapshot"),
            }
        }
        Ok(())
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_fold_as_merge_patches() {
        let mut state = Map::new();
        for data in [
            json!({ "state": "held", "price": 5, "terms": { "mode": "exclusive", "until": 3 } }),
            json!({ "state": "failed", "code": "X", "terms": { "until": null } }),
            json!({ "code": null, "terms": { "supply": { "left": 1 } } }),
        ] {
            fold(&mut state, &data);
        }
        let expected = json!({
            "state": "failed", "price": 5, "terms": { "mode": "exclusive", "supply": { "left": 1 } }
        });
        assert_eq!(Value::Object(state), expected);
    }
}
