//! `/admin/event-streams` and `/admin/events`: replay a stream, and compare the rows with what their events say.

use axum::extract::State;
use common::events::{self, Difference};
use common::ids::{JobId, UserId};
use common::limits::CLIENT_PAGE_ROWS_MAX;
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Json, Path, Query};
use crate::routes::events::{StreamState, version_from_one};
use crate::state::ApiState;

/// Which version of whose stream.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayQuery {
    /// The owner of a client's stream; none for a stream of the market.
    user_id: Option<UserId>,
    /// The version whose state is wanted; the newest if nothing is said.
    #[schemars(range(min = 1))]
    version: Option<i64>,
}

/// A stream that was replayed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedStream {
    #[serde(flatten)]
    replayed: StreamState,
    /// Its newest events, the newest first.
    events: Vec<HistoryEvent>,
}

/// An event, and where it comes from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEvent {
    /// Its version.
    version: i64,
    /// Its type.
    event_type: String,
    /// What it says of the stream's state, as a merge patch.
    data: Map<String, Value>,
    /// The request that it goes back to.
    request_id: String,
    /// The job that wrote it; null if the request did so itself.
    job_id: Option<JobId>,
    /// When it happened.
    occurred_at: Timestamp,
}

impl From<events::HistoryEvent> for HistoryEvent {
    fn from(event: events::HistoryEvent) -> Self {
        Self {
            version: event.version,
            event_type: event.event_type,
            data: event.data.as_object().cloned().unwrap_or_default(),
            request_id: event.trace,
            job_id: event.causation,
            occurred_at: event.at.into(),
        }
    }
}

/// What to compare.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryAuditRequest {
    /// The stream; all uploads, purchases, tasks and disputes if nothing is said.
    stream: Option<String>,
}

/// Rows, compared with their events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAudit {
    /// Whether nothing differs.
    is_sound: bool,
    /// How many rows were compared.
    compared: u64,
    differences: Vec<HistoryDifference>,
}

/// A fact that a row says otherwise than its events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryDifference {
    /// The stream.
    stream: String,
    /// The fact; `version` if an event is missing.
    fact: String,
    /// What the row says.
    of_row: Value,
    /// What its events say.
    of_events: Value,
}

impl From<Difference> for HistoryDifference {
    fn from(difference: Difference) -> Self {
        Self {
            stream: difference.stream,
            fact: difference.fact,
            of_row: difference.of_row,
            of_events: difference.of_events,
        }
    }
}

/// Replays a stream.
pub async fn replay_event_stream(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    Query(query): Query<ReplayQuery>,
) -> Result<Answer<ReplayedStream>, ApiError> {
    let version = version_from_one(query.version)?;
    let stream = events::find_id(state.pool(), query.user_id, &name).await?;
    let stream = stream.ok_or_else(not_found)?;
    let replayed = events::replay(state.pool(), stream, version).await?;
    let newest = events::list_history(state.pool(), stream, CLIENT_PAGE_ROWS_MAX).await?;
    Ok(Answer::ok(ReplayedStream {
        replayed: StreamState::new(name, replayed),
        events: newest.into_iter().map(HistoryEvent::from).collect(),
    }))
}

/// Compares rows with what their events say.
pub async fn audit_history(
    State(state): State<ApiState>,
    Json(body): Json<HistoryAuditRequest>,
) -> Result<Answer<HistoryAudit>, ApiError> {
    let only = match &body.stream {
        None => None,
        Some(name) => {
            let found = events::find_id(state.pool(), None, name).await?;
            Some(found.ok_or_else(not_found)?)
        }
    };
    let (compared, differences) = events::verify(state.pool(), only).await?;
    Ok(Answer::ok(HistoryAudit {
        is_sound: differences.is_empty(),
        compared,
        differences: differences.into_iter().map(Into::into).collect(),
    }))
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "The stream was not found.")
}
