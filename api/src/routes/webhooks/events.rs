//! `/api/ai/webhooks/events`: what happened, whoever was told; and forgetting it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use common::ids::EventId;
use common::limits::CLIENT_PAGE_ROWS_MAX;
use common::webhooks::WebhookError;
use common::webhooks::deliveries::{self, DeliveryFilter, EventFilter, EventRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::deliveries::shown as shown_delivery;
use super::time;
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query, moment};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct EventQuery {
    event_type: Option<String>,
    #[serde(deserialize_with = "moment::optional")]
    since: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "moment::optional")]
    until: Option<DateTime<Utc>>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// The caller's events, newest first.
pub async fn list_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<EventQuery>,
) -> Result<Response, ApiError> {
    let filter = EventFilter {
        owner: principal.user,
        event_type: query.event_type,
        since: query.since,
        until: query.until,
        before: page::cursor(query.cursor.as_deref(), page::row)?,
        limit: Pages::SHORT.limit(query.limit)?,
    };
    let found = deliveries::list_events(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |event| event.sequence);
    let shown: Vec<Value> = found.iter().map(shown).collect();
    let body = json!({ "events": shown, "nextCursor": next });
    Ok(success(StatusCode::OK, body))
}

/// One of them, with its body and where it was sent: what a thin payload refers to.
pub async fn get_event(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
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
    let told = deliveries::list_deliveries(state.pool(), &filter).await?;
    let mut body = shown(&event);
    let stored = event.body.as_deref();
    body["payload"] = stored
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or(Value::Null);
    body["deliveries"] = told.iter().map(shown_delivery).collect();
    Ok(success(StatusCode::OK, body))
}

/// Forgets the payload of an event.
pub async fn expunge_event(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = EventId::parse(&id).ok_or(WebhookError::NotFound)?;
    deliveries::expunge(&state.outbox, id, principal.user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Forgets the payloads of all events of the caller.
pub async fn expunge_all(
    State(state): State<ApiState>,
    Caller(principal): Caller,
) -> Result<Response, ApiError> {
    let count = deliveries::expunge_all(&state.outbox, principal.user).await?;
    Ok(success(StatusCode::OK, json!({ "expunged": count })))
}

fn shown(event: &EventRow) -> Value {
    json!({
        "eventId": event.id,
        "eventType": event.event_type,
        "subject": event.subject,
        "sequence": event.sequence,
        "requestId": event.trace,
        "timestamps": {
            "occurred": time(event.occurred_at),
            "expunged": event.expunged_at.map(time),
        },
    })
}
