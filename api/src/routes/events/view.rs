//! Events as clients see them.

use common::events::{Cursor, LoggedEvent, StreamEvent, StreamRow};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// An event.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamedEvent {
    /// The stream that it belongs to.
    stream: String,
    /// Its version there; you may not see all versions.
    version: i64,
    /// Its type.
    event_type: String,
    /// The version of what its data means.
    schema_version: i16,
    /// What it says of the stream's state, as a merge patch.
    data: Map<String, Value>,
    /// The request that caused it.
    request_id: String,
    /// When it happened.
    occurred_at: Timestamp,
    /// The place after it in the event log; null where the log was not read.
    cursor: Option<String>,
}

impl StreamedEvent {
    /// One that was read from the log of that epoch.
    pub fn of_log(event: &LoggedEvent, epoch: i32) -> Self {
        let cursor = Cursor {
            epoch,
            position: event.position,
        };
        Self {
            stream: event.stream_name.clone().unwrap_or_default(),
            version: event.version,
            event_type: event.event_type.clone(),
            schema_version: event.schema,
            data: object(&event.data),
            request_id: event.trace.clone(),
            occurred_at: event.at.into(),
            cursor: Some(cursor.to_string()),
        }
    }

    /// One that was read from its stream.
    pub fn of_stream(event: StreamEvent, stream: &StreamRow) -> Self {
        Self {
            stream: stream.name.clone(),
            version: event.version,
            event_type: event.event_type,
            schema_version: event.schema,
            data: object(&event.data),
            request_id: event.trace,
            occurred_at: event.at.into(),
            cursor: None,
        }
    }
}

/// A stream.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventStream {
    /// Its name.
    stream: String,
    /// The version of its newest event.
    version: i64,
    /// Versions up to this one are no longer kept; a snapshot holds what they said.
    pruned_up_to: i64,
    /// When it was opened.
    created_at: Timestamp,
}

impl From<StreamRow> for EventStream {
    fn from(row: StreamRow) -> Self {
        Self {
            stream: row.name,
            version: row.version,
            pruned_up_to: row.floor,
            created_at: row.created_at.into(),
        }
    }
}

fn object(data: &Value) -> Map<String, Value> {
    data.as_object().cloned().unwrap_or_default()
}
