//! A delivery as its owner sees it.

use common::ids::{DeliveryId, EndpointId, EventId, RecoveryId};
use common::limits::WEBHOOK_ATTEMPTS_SHOWN_MAX;
use common::webhooks::deliveries::{AttemptRow, DeliveryRow};
use common::webhooks::{DeliveryState, Trigger};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::routes::page::NextCursor;

/// An event on its way to an endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    delivery_id: DeliveryId,
    event_id: EventId,
    endpoint_id: EndpointId,
    /// The endpoint's address.
    #[schemars(url)]
    url: String,
    /// The type of the event.
    event_type: String,
    /// The place of the event among all of the account.
    sequence: i64,
    status: DeliveryState,
    trigger: Trigger,
    /// How many requests were made.
    attempts: i32,
    /// How many of them count in the retry plan.
    tries: i32,
    /// How many do not, because the receiver asked for time.
    holds: i32,
    /// How the last attempt ended.
    last_outcome: Option<String>,
    /// The status that the last attempt was answered with.
    last_status_code: Option<i16>,
    /// The recovery that sent it again.
    recovery_id: Option<RecoveryId>,
    /// When it is tried next.
    next_attempt_at: Option<Timestamp>,
    timestamps: DeliveryTimes,
}

/// When a delivery changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryTimes {
    /// When it was made.
    created: Timestamp,
    /// From when on its retry plan counts.
    accepted: Timestamp,
    /// When it ended.
    finished: Option<Timestamp>,
}

/// A delivery with its attempts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryTimeline {
    #[serde(flatten)]
    delivery: Delivery,
    /// The newest attempts, newest first.
    #[schemars(length(max = WEBHOOK_ATTEMPTS_SHOWN_MAX))]
    timeline: Vec<Attempt>,
}

/// A request to a receiver.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveryAttempt")]
pub struct Attempt {
    /// Counts the requests of the delivery.
    attempt: i32,
    /// When it had ended.
    at: Timestamp,
    trigger: Trigger,
    /// How it ended: `delivered`, or why not.
    outcome: String,
    /// The status that it was answered with.
    status_code: Option<i16>,
    /// Why it failed, for people.
    detail: String,
    /// How long the look-up of the name took, in milliseconds.
    resolve_ms: Option<f32>,
    /// How long the connection took, in milliseconds.
    connect_ms: Option<f32>,
    /// How long the head of the answer took, in milliseconds.
    first_byte_ms: Option<f32>,
    /// How long the rest of the answer took, in milliseconds.
    body_ms: Option<f32>,
    /// How long all of it took, in milliseconds.
    duration_ms: f32,
    /// The beginning of the answer.
    response: String,
}

/// A page of deliveries, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPage {
    pub deliveries: Vec<Delivery>,
    pub next_cursor: NextCursor,
}

impl From<&DeliveryRow> for Delivery {
    fn from(delivery: &DeliveryRow) -> Self {
        let is_pending = delivery.state == DeliveryState::Pending;
        Self {
            delivery_id: delivery.id,
            event_id: delivery.event_id,
            endpoint_id: delivery.endpoint_id,
            url: delivery.url.clone(),
            event_type: delivery.event_type.clone(),
            sequence: delivery.sequence,
            status: delivery.state,
            trigger: delivery.trigger,
            attempts: delivery.attempts,
            tries: delivery.tries,
            holds: delivery.holds,
            last_outcome: delivery.outcome.clone(),
            last_status_code: delivery.status_code,
            recovery_id: delivery.recovery_id,
            next_attempt_at: is_pending.then(|| delivery.next_at.into()),
            timestamps: DeliveryTimes {
                created: delivery.created_at.into(),
                accepted: delivery.accepted_at.into(),
                finished: delivery.finished_at.map(Timestamp),
            },
        }
    }
}

impl DeliveryTimeline {
    pub fn new(delivery: &DeliveryRow, attempts: &[AttemptRow]) -> Self {
        Self {
            delivery: delivery.into(),
            timeline: attempts.iter().map(Attempt::from).collect(),
        }
    }
}

impl From<&AttemptRow> for Attempt {
    fn from(row: &AttemptRow) -> Self {
        Self {
            attempt: row.attempt,
            at: row.at.into(),
            trigger: row.trigger,
            outcome: row.outcome.clone(),
            status_code: row.status_code,
            detail: row.detail.clone(),
            resolve_ms: row.resolve_ms,
            connect_ms: row.connect_ms,
            first_byte_ms: row.first_byte_ms,
            body_ms: row.body_ms,
            duration_ms: row.duration_ms,
            response: row.response.clone(),
        }
    }
}
