//! `/api/ai/webhooks/events`: what happened, whoever was told; and forgetting it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use common::ids::EventId;
use common::limits::CLIENT_PAGE_ROWS_MAX;
use common::webhooks::WebhookError;
use common::webhooks::deliveries::{self, DeliveryFilter, EventFilter, EventRow};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::delivery_view::Delivery;
use crate::contract::{Answer, NoContent};
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query, moment};
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which of the caller's events.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EventQuery {
    /// Of this type.
    event_type: Option<String>,
    /// At this time or later.
    #[serde(deserialize_with = "moment::optional")]
    since: Option<DateTime<Utc>>,
    /// Before this time.
    #[serde(deserialize_with = "moment::optional")]
    until: Option<DateTime<Utc>>,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    event_id: EventId,
    /// Its type.
    event_type: String,
    /// What it is about.
    subject: Uuid,
    /// Its place among all of the account.
    sequence: i64,
    /// The request that caused it.
    request_id: String,
    timestamps: EventTimes,
}

/// When an event happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventTimes {
    /// When it happened.
    occurred: Timestamp,
    /// When its body was deleted.
    expunged: Option<Timestamp>,
}

/// An event with its body.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventWithPayload {
    #[serde(flatten)]
    event: Event,
    /// The body; null once it is deleted.
    payload: Option<Map<String, Value>>,
    /// Where it was sent.
    deliveries: Vec<Delivery>,
}

/// A page of events, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    events: Vec<Event>,
    next_cursor: NextCursor,
}

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExpungedPayloads {
    /// How many bodies.
    expunged: u64,
}

/// The caller's events, newest first.
pub async fn list_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<EventQuery>,
) -> Result<Answer<EventPage>, ApiError> {
    let filter = EventFilter {
        owner: principal.user,
        event_type: query.event_type,
        since: query.since,
        until: query.until,
        before: page::cursor(query.cursor.as_ref(), page::row)?,
        limit: page::rows(query.limit)?,
    };
    let found = deliveries::list_events(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |event| event.sequence);
    Ok(Answer::ok(EventPage {
        events: found.iter().map(Event::from).collect(),
        next_cursor: next,
    }))
}

/// One of them, with its body and where it was sent: what a thin payload refers to.
pub async fn get_event(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Answer<EventWithPayload>, ApiError> {
    let id = EventId::parse(&id).ok_or(WebhookError::NotFound)?;
    let event = deliveries::find_event(state.pool(), id, principal.user).await?;
    let event = event.ok_or(WebhookError::NotFound)?;
    let filter = DeliveryFilter {
        owner: principal.user,
        endpoint: None,
        event: Some(id),
        state: None,
        event_type: None,
        outcome: None,
        status_code: None,
        since: None,
        until: None,
        before: None,
        limit: CLIENT_PAGE_ROWS_MAX,
    };
    let sent = deliveries::list_deliveries(state.pool(), &filter).await?;
    let stored = event.body.as_deref();
    Ok(Answer::ok(EventWithPayload {
        payload: stored.and_then(|bytes| serde_json::from_slice(bytes).ok()),
        event: Event::from(&event),
        deliveries: sent.iter().map(Delivery::from).collect(),
    }))
}

/// Forgets the payload of an event.
pub async fn expunge_event(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<NoContent, ApiError> {
    let id = EventId::parse(&id).ok_or(WebhookError::NotFound)?;
    deliveries::expunge(&state.outbox, id, principal.user).await?;
    Ok(NoContent)
}

/// Forgets the payloads of all events of the caller.
pub async fn expunge_all(
    State(state): State<ApiState>,
    Caller(principal): Caller,
) -> Result<Answer<ExpungedPayloads>, ApiError> {
    let expunged = deliveries::expunge_all(&state.outbox, principal.user).await?;
    Ok(Answer::ok(ExpungedPayloads { expunged }))
}

impl From<&EventRow> for Event {
    fn from(event: &EventRow) -> Self {
        Self {
            event_id: event.id,
            event_type: event.event_type.clone(),
            subject: event.subject,
            sequence: event.sequence,
            request_id: event.trace.clone(),
            timestamps: EventTimes {
                occurred: event.occurred_at.into(),
                expunged: event.expunged_at.map(Timestamp),
            },
        }
    }
}
