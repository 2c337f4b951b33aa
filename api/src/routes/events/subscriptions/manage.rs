//! Subscriptions: made, listed, moved, deleted.

use axum::extract::State;
use common::events::subscriptions::{self, SubscriptionError, SubscriptionName, commands};
use common::identity::Principal;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::Serialize;

use super::body::{EventSubscriptionRequest, SeekRequest, start};
use super::name;
use super::view::EventSubscription;
use crate::contract::{Answer, NoContent};
use crate::error::ApiError;
use crate::extract::{Caller, Json, Path};
use crate::state::ApiState;

/// The caller's subscriptions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventSubscriptionList {
    /// All of them, by name.
    subscriptions: Vec<EventSubscription>,
}

/// Makes a subscription, or answers the one that was made by the same request.
pub async fn create_event_subscription(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Json(body): Json<EventSubscriptionRequest>,
) -> Result<Answer<EventSubscription>, ApiError> {
    let new = body.read(principal.user)?;
    let is_new = commands::create(&state.outbox, &new)
        .await
        .map_err(|error| refuse_start("from", error))?;
    let view = find(&state, &principal, &new.name).await?;
    let location = format!("/api/ai/event-subscriptions/{}", new.name.as_str());
    Ok(match is_new {
        true => Answer::created(view, &location),
        false => Answer::ok(view),
    })
}

/// The caller's subscriptions.
pub async fn list_event_subscriptions(
    State(state): State<ApiState>,
    Caller(principal): Caller,
) -> Result<Answer<EventSubscriptionList>, ApiError> {
    let found = subscriptions::list(state.pool(), principal.user).await?;
    Ok(Answer::ok(EventSubscriptionList {
        subscriptions: found.iter().map(EventSubscription::from).collect(),
    }))
}

/// One of them.
pub async fn get_event_subscription(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
) -> Result<Answer<EventSubscription>, ApiError> {
    let view = find(&state, &principal, &name(&subscription)?).await?;
    Ok(Answer::ok(view))
}

/// Moves a subscription to another place in the log.
pub async fn seek_event_subscription(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
    Json(body): Json<SeekRequest>,
) -> Result<Answer<EventSubscription>, ApiError> {
    let name = name(&subscription)?;
    let to = start("to", &body.to)?;
    commands::seek(&state.outbox, principal.user, &name, to)
        .await
        .map_err(|error| refuse_start("to", error))?;
    Ok(Answer::ok(find(&state, &principal, &name).await?))
}

/// Deletes a subscription, with what it holds.
pub async fn delete_event_subscription(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
) -> Result<NoContent, ApiError> {
    commands::delete(&state.outbox, principal.user, &name(&subscription)?).await?;
    Ok(NoContent)
}

async fn find(
    state: &ApiState,
    principal: &Principal,
    name: &SubscriptionName,
) -> Result<EventSubscription, ApiError> {
    let found = subscriptions::find(state.pool(), principal.user, name).await?;
    Ok(EventSubscription::from(&found))
}

/// A cursor that is none of this log is a fault of its field.
fn refuse_start(field: &str, error: SubscriptionError) -> ApiError {
    match error {
        SubscriptionError::Foreign => ApiError::fields(&[FieldFault::new(
            field,
            "must be a cursor of this event log, not beyond its end",
        )]),
        other => other.into(),
    }
}
