//! `/api/ai/webhooks/deliveries`: the log, a delivery's timeline, sending again.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use common::identity::Principal;
use common::ids::{DeliveryId, EndpointId, EventId, UserId};
use common::webhooks::deliveries::{self, AttemptRow, DeliveryFilter, DeliveryRow};
use common::webhooks::{DeliveryState, Trigger, WebhookError};
use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery_view::{Delivery, DeliveryPage, DeliveryTimeline};
use crate::contract::{Answer, Cacheable};
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait, Query, moment};
use crate::follow::{Follower, Status};
use crate::routes::page::{self, PageCursor, ShortLimit};
use crate::state::ApiState;
use crate::version::ApiVersion;

/// How long a request waits for what it sent by hand, when the client does not say.
pub const SEND_WAIT: Duration = Duration::from_secs(25);

/// Which of the caller's deliveries.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryQuery {
    /// To this endpoint.
    endpoint_id: Option<EndpointId>,
    /// Of this event.
    event_id: Option<EventId>,
    /// In this state.
    status: Option<DeliveryState>,
    /// Of events of this type.
    event_type: Option<String>,
    /// Whose last attempt ended like this.
    outcome: Option<String>,
    /// Whose last attempt was answered with this status.
    status_code: Option<i16>,
    /// Made at this time or later.
    #[serde(deserialize_with = "moment::optional")]
    since: Option<DateTime<Utc>>,
    /// Made before this time.
    #[serde(deserialize_with = "moment::optional")]
    until: Option<DateTime<Utc>>,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// The caller's deliveries, newest first.
pub async fn list_deliveries(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<DeliveryQuery>,
) -> Result<Answer<DeliveryPage>, ApiError> {
    let filter = DeliveryFilter {
        owner: principal.user,
        endpoint: query.endpoint_id,
        event: query.event_id,
        state: query.status,
        event_type: query.event_type,
        outcome: query.outcome,
        status_code: query.status_code,
        since: query.since,
        until: query.until,
        before: page::cursor(query.cursor.as_ref(), DeliveryId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = deliveries::list_deliveries(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |delivery| delivery.id);
    Ok(Answer::ok(DeliveryPage {
        deliveries: found.iter().map(Delivery::from).collect(),
        next_cursor: next,
    }))
}

/// One of them, with its attempts; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_delivery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Cacheable<DeliveryTimeline>, ApiError> {
    let find = finder(&state, DeliveryId::parse(&id), principal.user);
    Follower::new(&state, Some(&principal), deliveries::CHANGED, id, find)
        .answer(version, wait, &headers)
        .await
}

/// Sends a delivery once more, now, and answers what came of it: 200, or 202 if that takes longer than
/// `Prefer: wait`.
pub async fn resend_delivery(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Path(id): Path<String>,
) -> Result<Answer<DeliveryTimeline>, ApiError> {
    let delivery = DeliveryId::parse(&id).ok_or(WebhookError::NotFound)?;
    let before = finder(&state, Some(delivery), principal.user)().await?;
    let attempts = before.delivery.attempts;
    deliveries::resend(&state.outbox, delivery, principal.user).await?;
    answer_of_send(&state, delivery, &principal, wait, attempts).await
}

/// Waits for an attempt beyond so many.
pub async fn answer_of_send(
    state: &ApiState,
    id: DeliveryId,
    principal: &Principal,
    wait: Option<Duration>,
    attempts: i32,
) -> Result<Answer<DeliveryTimeline>, ApiError> {
    let find = finder(state, Some(id), principal.user);
    let wait = wait.unwrap_or(SEND_WAIT);
    let mut follower = Follower::new(
        state,
        Some(principal),
        deliveries::CHANGED,
        id.to_string(),
        find,
    );
    let is_sent = |timeline: &Timeline| timeline.delivery.attempts > attempts;
    let timeline = follower.wait(wait, is_sent).await?;
    let status = match is_sent(&timeline) {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    Ok(Answer::with(status, timeline.body()))
}

/// A delivery and its attempts.
pub struct Timeline {
    delivery: DeliveryRow,
    attempts: Vec<AttemptRow>,
}

impl Status for Timeline {
    type Body = DeliveryTimeline;

    fn version(&self) -> i64 {
        let state = DeliveryState::ALL
            .iter()
            .position(|state| *state == self.delivery.state)
            .unwrap_or_default();
        let waits_for_owner = i64::from(self.delivery.trigger == Trigger::Manual);
        i64::from(self.delivery.attempts) * 16 + 2 * state as i64 + waits_for_owner
    }

    fn is_final(&self) -> bool {
        self.delivery.state.is_final()
    }

    fn body(&self) -> DeliveryTimeline {
        DeliveryTimeline::new(&self.delivery, &self.attempts)
    }
}

fn finder(
    state: &ApiState,
    id: Option<DeliveryId>,
    owner: UserId,
) -> impl Fn() -> futures::future::BoxFuture<'static, Result<Timeline, ApiError>> + Send + 'static {
    let pool = state.pool().clone();
    move || {
        let pool = pool.clone();
        Box::pin(async move {
            let id = id.ok_or(WebhookError::NotFound)?;
            let delivery = deliveries::find_delivery(&pool, id, owner).await?;
            let delivery = delivery.ok_or(WebhookError::NotFound)?;
            let attempts = deliveries::list_attempts(&pool, id).await?;
            Ok(Timeline { delivery, attempts })
        })
    }
}
