//! `POST /api/ai/event-streams/{stream}/events`: a client appends to a stream of its own.

use axum::Extension;
use axum::extract::State;
use common::events::{self, AppendError, Appended, Expected, NewEvent, TypeFilter};
use common::ids::UserId;
use common::limits::{APPENDED_BYTES_MAX, APPENDED_EVENTS_MAX, EVENT_TYPE_BYTES_MAX};
use common::outbox::Outbox;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::streams::own_name;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path};
use crate::middleware::RequestId;
use crate::places;
use crate::state::ApiState;

/// Events to append.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppendRequest {
    /// The version that the stream must have, 0 for a new one; any if nothing is said.
    #[serde(default)]
    #[schemars(range(min = 0))]
    expected_version: Option<i64>,
    /// The events, in their order.
    #[schemars(length(min = 1, max = APPENDED_EVENTS_MAX))]
    events: Vec<EventToAppend>,
}

/// An event to append.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventToAppend {
    /// Its type: letters, digits, `_` and `.`.
    #[schemars(length(min = 1, max = EVENT_TYPE_BYTES_MAX))]
    event_type: String,
    /// The version of what its data means; 1 if nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 32767))]
    schema_version: Option<i16>,
    /// What it says of the stream's state, as a merge patch.
    data: Map<String, Value>,
}

/// What was appended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppendedEvents {
    /// The stream.
    stream: String,
    /// The version of the first event.
    first_version: i64,
    /// The version of the last event: what the next append expects.
    version: i64,
}

/// Appends to a stream of the caller's own, which is opened by its first event.
pub async fn append_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(stream): Path<String>,
    Json(body): Json<AppendRequest>,
) -> Result<Answer<AppendedEvents>, ApiError> {
    let name = own_name(stream)?;
    let (expected, events) = body.read()?;
    let (outbox, user) = (state.outbox.clone(), principal.user);
    let stream = name.clone();
    let appending =
        async move { append(&outbox, user, &stream, expected, &events, &request_id.0).await };
    let appended = places::complete("append events", appending).await?;
    let location = format!("/api/ai/event-streams/{name}/events");
    let appended = AppendedEvents {
        stream: name,
        first_version: appended.first,
        version: appended.last,
    };
    Ok(Answer::created(appended, &location))
}

async fn append(
    outbox: &Outbox,
    user: UserId,
    name: &str,
    expected: Expected,
    events: &[NewEvent],
    trace: &str,
) -> Result<Appended, ApiError> {
    let mut tx = outbox.begin().await?;
    let stream = events::open_own_in_tx(&mut tx, user, name).await?;
    let stream = stream.ok_or_else(too_many)?;
    let appended = events::append_expecting_in_tx(&mut tx, stream, expected, events, trace).await?;
    tx.commit().await?;
    Ok(appended)
}

fn too_many() -> ApiError {
    let message = format!(
        "You have {} streams, which is as many as an account may have.",
        common::limits::CLIENT_STREAMS_MAX
    );
    ApiError::new(Code::Conflict, message).field("reason", "TOO_MANY_STREAMS")
}

impl AppendRequest {
    fn read(self) -> Result<(Expected, Vec<NewEvent>), ApiError> {
        let mut faults = Vec::new();
        if self.expected_version.is_some_and(|version| version < 0) {
            faults.push(FieldFault::new("expectedVersion", "must be 0 or more"));
        }
        let count = self.events.len();
        if !(1..=APPENDED_EVENTS_MAX).contains(&count) {
            let message = format!("must be from 1 to {APPENDED_EVENTS_MAX} events");
            faults.push(FieldFault::new("events", message));
        }
        let bytes: usize = self.events.iter().map(EventToAppend::bytes).sum();
        if bytes > APPENDED_BYTES_MAX {
            let message = format!("must have data of at most {APPENDED_BYTES_MAX} bytes in all");
            faults.push(FieldFault::new("events", message));
        }
        for (place, event) in self.events.iter().enumerate() {
            event.check(place, &mut faults);
        }
        if !faults.is_empty() {
            return Err(ApiError::fields(&faults));
        }
        let expected = self
            .expected_version
            .map_or(Expected::Any, Expected::Version);
        let events = self.events.into_iter().map(|event| NewEvent {
            event_type: event.event_type,
            schema: event.schema_version.unwrap_or(1),
            data: Value::Object(event.data),
        });
        Ok((expected, events.collect()))
    }
}

impl EventToAppend {
    fn bytes(&self) -> usize {
        self.data
            .iter()
            .map(|(name, value)| name.len() + value.to_string().len())
            .sum()
    }

    fn check(&self, place: usize, faults: &mut Vec<FieldFault>) {
        let is_name = !self.event_type.contains('*')
            && self.event_type.len() <= EVENT_TYPE_BYTES_MAX
            && TypeFilter::parse(&self.event_type).is_ok();
        if !is_name {
            let message = format!(
                "must be of letters, digits, `_` and `.`, and at most {EVENT_TYPE_BYTES_MAX} of them"
            );
            faults.push(FieldFault::new(
                format!("events[{place}].eventType"),
                message,
            ));
        }
        if self.schema_version.is_some_and(|version| version < 1) {
            faults.push(FieldFault::new(
                format!("events[{place}].schemaVersion"),
                "must be 1 or more",
            ));
        }
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { expected, actual } => {
                let message = format!("The stream is at version {actual}, not {expected}.");
                let mut conflict =
                    Self::new(Code::Conflict, message).field("reason", "VERSION_CONFLICT");
                conflict
                    .details
                    .insert("expected".to_owned(), expected.into());
                conflict.details.insert("actual".to_owned(), actual.into());
                conflict
            }
            AppendError::Database(error) => error.into(),
        }
    }
}
