//! Streams: those of the caller, their events, and the state that these make.

use axum::extract::State;
use common::events::{self, Direction, ReplayError, Replayed, StreamNameError, StreamRow};
use common::identity::Principal;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::view::{EventStream, StreamedEvent};
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Path, Query};
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which of the caller's streams.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EventStreamQuery {
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// A page of streams, by name.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventStreamPage {
    streams: Vec<EventStream>,
    next_cursor: NextCursor,
}

/// In which order a stream is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadDirection {
    /// The oldest first.
    #[default]
    Forwards,
    /// The newest first.
    Backwards,
}

/// Which events of a stream.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct StreamEventQuery {
    /// The order; the oldest first if nothing is said.
    direction: ReadDirection,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// Events of a stream.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamEventPage {
    events: Vec<StreamedEvent>,
    next_cursor: NextCursor,
}

/// Which version.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct StreamStateQuery {
    /// The version whose state is wanted; the newest if nothing is said.
    #[schemars(range(min = 1))]
    version: Option<i64>,
}

/// The state of a stream at a version.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamState {
    /// The stream.
    stream: String,
    /// The version.
    version: i64,
    /// What all events up to that version make together, each a merge patch.
    state: Map<String, Value>,
    /// The version of the snapshot that the replay began with.
    snapshot_version: Option<i64>,
    /// How many events were read after it.
    events_replayed: usize,
}

impl StreamState {
    /// What a replay came to.
    pub fn new(stream: String, replayed: Replayed) -> Self {
        Self {
            stream,
            version: replayed.version,
            state: replayed.state,
            snapshot_version: replayed.snapshot,
            events_replayed: replayed.events,
        }
    }
}

/// The caller's own streams.
pub async fn list_event_streams(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<EventStreamQuery>,
) -> Result<Answer<EventStreamPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let after = page::cursor(query.cursor.as_ref(), stream_name)?;
    let rows = events::list_own(state.pool(), principal.user, after.as_deref(), limit).await?;
    let next_cursor = page::next(&rows, limit, |row| row.name.clone());
    Ok(Answer::ok(EventStreamPage {
        streams: rows.into_iter().map(EventStream::from).collect(),
        next_cursor,
    }))
}

/// Events of a stream, forwards or backwards.
pub async fn list_stream_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(stream): Path<String>,
    Query(query): Query<StreamEventQuery>,
) -> Result<Answer<StreamEventPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let from = page::cursor(query.cursor.as_ref(), page::row)?;
    let stream = find(&state, &principal, &stream).await?;
    let direction = match query.direction {
        ReadDirection::Forwards => Direction::Forwards,
        ReadDirection::Backwards => Direction::Backwards,
    };
    let (pool, user) = (state.pool(), principal.user);
    let rows = events::list_stream(pool, user, &stream, direction, from, limit).await?;
    let next_cursor = page::next(&rows, limit, |event| event.version);
    Ok(Answer::ok(StreamEventPage {
        events: rows
            .into_iter()
            .map(|event| StreamedEvent::of_stream(event, &stream))
            .collect(),
        next_cursor,
    }))
}

/// The state of a stream of the caller's own.
pub async fn get_stream_state(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(stream): Path<String>,
    Query(query): Query<StreamStateQuery>,
) -> Result<Answer<StreamState>, ApiError> {
    let version = version_from_one(query.version)?;
    let stream = find(&state, &principal, &own_name(stream)?).await?;
    let replayed = events::replay(state.pool(), stream.id, version).await?;
    Ok(Answer::ok(StreamState::new(stream.name, replayed)))
}

fn stream_name(text: &str) -> Option<String> {
    events::parse_name(text).ok().map(|_| text.to_owned())
}

async fn find(state: &ApiState, caller: &Principal, name: &str) -> Result<StreamRow, ApiError> {
    let found = events::find_visible(state.pool(), caller.user, name).await?;
    found.ok_or_else(|| ApiError::new(Code::NotFound, "The stream was not found."))
}

/// The version of a query, if there is one.
pub fn version_from_one(version: Option<i64>) -> Result<Option<i64>, ApiError> {
    match version {
        Some(..1) => Err(ApiError::fields(&[FieldFault::new(
            "version",
            "must be 1 or more",
        )])),
        version => Ok(version),
    }
}

/// The name of a stream that clients may append to.
pub(super) fn own_name(name: String) -> Result<String, ApiError> {
    let fault = match events::parse_name(&name) {
        Ok(None) => return Ok(name),
        Ok(Some(category)) => StreamNameError::Reserved(category),
        Err(error) => error,
    };
    Err(ApiError::fields(&[FieldFault::new(
        "stream",
        fault.to_string(),
    )]))
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::NoVersion(version) => Self::new(
                Code::NotFound,
                format!("The stream has no version {version}."),
            ),
            ReplayError::Pruned { floor } => {
                let mut gone = Self::new(
                    Code::CursorExpired,
                    "The events of this version are no longer kept.",
                );
                gone.details.insert("prunedUpTo".to_owned(), floor.into());
                gone
            }
            ReplayError::TooMany => Self::new(
                Code::ServiceUnavailable,
                "A snapshot of this stream is being made.",
            ),
            ReplayError::Database(error) => error.into(),
        }
    }
}
