//! Whether what the rows say is what their events say.

use serde_json::{Map, Value};
use sqlx::PgPool;
use uuid::Uuid;

use super::fold;

/// A row that its events do not explain.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The stream, by its name or else its id.
    pub stream: String,
    /// The fact that differs; `version` for a stream with a gap.
    pub fact: String,
    pub of_row: Value,
    pub of_events: Value,
}

/// A row, in the words of its events, and these.
#[derive(sqlx::FromRow)]
struct Row {
    stream: Uuid,
    name: Option<String>,
    state: Value,
    versions: Option<Vec<i64>>,
    said: Option<Vec<Value>>,
}

/// Streams that are looked at together.
const BATCH: i64 = 500;

/// Compares all uploads, purchases, tasks and disputes with the fold of their events, or those of one stream: how many
/// were compared, and what differs.
pub async fn verify(
    pool: &PgPool,
    only: Option<Uuid>,
) -> Result<(u64, Vec<Difference>), sqlx::Error> {
    let (mut compared, mut differences) = (0, Vec::new());
    let mut after = Uuid::nil();
    loop {
        // Rows and events of one moment, in one statement.
        let rows: Vec<Row> = sqlx::query_as(
                "select states.stream, name, state, versions, said
                 from (
                     select stream, state
                     from event_states
                     where stream > $1
                       and ($2::uuid is null or stream = $2)
                     order by stream
                     limit $3
                 ) as states
                 left join event_streams on event_streams.id = states.stream
                 left join lateral (
                     select array_agg(version order by version) as versions, array_agg(data order by version) as said
                     from events
                     where events.stream = states.stream
                 ) as history on true
                 order by states.stream",
            )
            .bind(after)
            .bind(only)
            .bind(BATCH)
            .fetch_all(pool)
            .await?;
        let is_last = (rows.len() as i64) < BATCH;
        for row in rows {
            after = row.stream;
            compared += 1;
            differences.extend(row.differences());
        }
        if is_last {
            return Ok((compared, differences));
        }
    }
}

impl Row {
    fn differences(self) -> Vec<Difference> {
        let name = self.name.unwrap_or_else(|| self.stream.to_string());
        let mut state = Map::new();
        for data in self.said.iter().flatten() {
            fold(&mut state, data);
        }
        let gap = gap(&name, &self.versions.unwrap_or_default());
        gap.into_iter()
            .chain(compare(&name, self.state, &state))
            .collect()
    }
}

fn gap(stream: &str, versions: &[i64]) -> Option<Difference> {
    let expected = 1..=versions.len() as i64;
    let found = versions.iter().copied().zip(expected);
    let (of_events, of_row) = found.clone().find(|(found, expected)| found != expected)?;
    Some(Difference {
        stream: stream.to_owned(),
        fact: "version".to_owned(),
        of_row: of_row.into(),
        of_events: of_events.into(),
    })
}

fn compare(stream: &str, of_row: Value, of_events: &Map<String, Value>) -> Vec<Difference> {
    let Value::Object(of_row) = of_row else {
        return Vec::new();
    };
    let facts = of_row.into_iter().map(|(fact, of_row)| {
        let of_events = of_events.get(&fact).cloned().unwrap_or_default();
        (fact, of_row, of_events)
    });
    let differing = facts.filter(|(_, of_row, of_events)| of_row != of_events);
    differing
        .map(|(fact, of_row, of_events)| Difference {
            stream: stream.to_owned(),
            fact,
            of_row,
            of_events,
        })
        .collect()
}
