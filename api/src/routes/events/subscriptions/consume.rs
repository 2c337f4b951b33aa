//! What consumers do: fetch, acknowledge, give back.

use std::time::Duration;

use axum::extract::State;
use common::events::subscriptions::{Batch, RELEASED, SubscriptionName, commands};
use common::identity::Principal;
use common::ids::EventSubscriptionId;
use common::limits::SUBSCRIPTION_SCAN;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::body::{AcknowledgementRequest, EventFetchRequest, ReleaseRequest, acknowledgements};
use super::name;
use super::view::{AcknowledgedEvents, HandedOutEvent, ReleasedEvents};
use crate::contract::Answer;
use crate::credential_watch::CredentialWatch;
use crate::error::ApiError;
use crate::extract::{Caller, Json, Path};
use crate::places;
use crate::routes::events::log::Reading;
use crate::state::ApiState;

/// Events that were handed out.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandedOutEvents {
    /// The events, in the order of the log; those of one stream in the order of their versions.
    events: Vec<HandedOutEvent>,
}

/// Hands out the next events; waits until there are some, if the request says so.
pub async fn fetch_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
    body: Option<Json<EventFetchRequest>>,
) -> Result<Answer<HandedOutEvents>, ApiError> {
    let request = body.map(|Json(body)| body).unwrap_or_default();
    request.check()?;
    let batch = fetch(&state, &principal, &name(&subscription)?, &request).await?;
    let events = batch.events.iter();
    Ok(Answer::ok(HandedOutEvents {
        events: events
            .map(|event| HandedOutEvent::new(event, batch.epoch))
            .collect(),
    })
    .uncached())
}

/// Acknowledges events: they do not come again.
pub async fn acknowledge_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
    Json(body): Json<AcknowledgementRequest>,
) -> Result<Answer<AcknowledgedEvents>, ApiError> {
    let (name, given) = (
        name(&subscription)?,
        acknowledgements(&body.acknowledgements)?,
    );
    let outbox = state.outbox.clone();
    let acknowledging =
        async move { commands::acknowledge(&outbox, principal.user, &name, &given).await };
    let settled = places::complete("acknowledge events", acknowledging).await?;
    Ok(Answer::ok(settled.into()))
}

/// Gives events back before their deadline.
pub async fn release_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
    Json(body): Json<ReleaseRequest>,
) -> Result<Answer<ReleasedEvents>, ApiError> {
    body.check()?;
    let (name, given) = (
        name(&subscription)?,
        acknowledgements(&body.acknowledgements)?,
    );
    let (outbox, retry) = (state.outbox.clone(), body.retry_in_seconds);
    let releasing =
        async move { commands::release(&outbox, principal.user, &name, &given, retry).await };
    let settled = places::complete("release events", releasing).await?;
    Ok(Answer::ok(settled.into()))
}

async fn fetch(
    state: &ApiState,
    principal: &Principal,
    name: &SubscriptionName,
    request: &EventFetchRequest,
) -> Result<Batch, ApiError> {
    let deadline = Instant::now() + Duration::from_secs(request.wait_seconds);
    let scan_until = deadline.max(Instant::now() + SUBSCRIPTION_SCAN);
    // Both hear of what happens from now on, which is before the first look.
    let mut listener = state.events.listen(principal.user);
    let mut released = state.outbox.queue().subscribe(RELEASED);
    let mut credential = CredentialWatch::new(state, Some(principal));
    let _counted = Reading::start();
    loop {
        // Whoever may not go on is handed out nothing.
        credential.check_if_due().await?;
        let batch = commands::fetch(state.pool(), principal.user, name, request.limit).await?;
        if !batch.events.is_empty() {
            return Ok(batch);
        }
        if batch.has_more {
            match Instant::now() < scan_until {
                true => continue,
                false => return Ok(batch),
            }
        }
        let next_due = batch.next_due.map(|due| Instant::now() + due);
        tokio::select! {
            biased;
            () = credential.due() => {}
            () = state.stopping.cancelled() => return Ok(batch),
            () = sleep_until(deadline) => return Ok(batch),
            () = listener.changed() => {}
            () = is_released(&mut released, batch.subscription) => {}
            () = sleep_until(next_due.unwrap_or(deadline)), if next_due.is_some() => {}
        }
    }
}

/// Returns when something of that subscription may be handed out again, or announcements were lost.
async fn is_released(released: &mut Receiver<String>, subscription: EventSubscriptionId) {
    let subscription = subscription.to_string();
    loop {
        match released.recv().await {
            Ok(id) if !id.is_empty() && id != subscription => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
