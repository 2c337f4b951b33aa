//! Subscriptions and their events as clients see them.

use common::events::subscriptions::{HandedOut, ParkedEvent, Settled, Subscription};
use common::wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::routes::events::view::StreamedEvent;

/// A subscription, and how far it has come.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSubscription {
    /// Its name.
    name: String,
    /// Types and families of types; all if there is none.
    types: Vec<String>,
    /// Streams, or ids of uploads, purchases, tasks and so on; all if there is none.
    ids: Vec<String>,
    /// How many seconds a consumer has to acknowledge an event.
    ack_seconds: i32,
    /// The place in the event log up to which it has looked.
    cursor: String,
    /// How many events it has not handed out, counted up to 10,000 after its cursor. It may pass over some of them.
    events_behind: i64,
    /// How many events are handed out and not acknowledged.
    events_handed_out: i64,
    /// How many events are parked.
    events_parked: i64,
    /// The age of the oldest event that is not acknowledged, in seconds; 0 if all are.
    lag_seconds: f64,
    /// When it was made.
    created_at: Timestamp,
}

impl From<&Subscription> for EventSubscription {
    fn from(row: &Subscription) -> Self {
        Self {
            name: row.name.as_str().to_owned(),
            types: row.types.clone(),
            ids: row.ids.clone(),
            ack_seconds: row.ack_seconds,
            cursor: row.cursor().to_string(),
            events_behind: row.behind(),
            events_handed_out: row.handed_out,
            events_parked: row.parked,
            lag_seconds: row.oldest_age_seconds.unwrap_or_default().max(0.0),
            created_at: row.created_at.into(),
        }
    }
}

/// An event that was handed out.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandedOutEvent {
    #[serde(flatten)]
    event: StreamedEvent,
    /// What to send when it is dealt with.
    acknowledgement: String,
    /// How often it was handed out, this time included.
    attempt: i32,
}

impl HandedOutEvent {
    /// One of the log of that epoch.
    pub fn new(handed_out: &HandedOut, epoch: i32) -> Self {
        Self {
            event: StreamedEvent::of_log(&handed_out.event, epoch),
            acknowledgement: handed_out.acknowledgement.to_string(),
            attempt: handed_out.attempt,
        }
    }
}

/// An event that is parked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParkedSubscriptionEvent {
    #[serde(flatten)]
    event: HandedOutEvent,
    /// Since when it is handed out no more.
    parked_at: Timestamp,
}

impl ParkedSubscriptionEvent {
    /// One of the log of that epoch.
    pub fn new(parked: &ParkedEvent, epoch: i32) -> Self {
        Self {
            event: HandedOutEvent::new(&parked.handed_out, epoch),
            parked_at: parked.parked_at.into(),
        }
    }
}

/// What was acknowledged.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgedEvents {
    /// How many events are acknowledged, those included that were before.
    acknowledged: usize,
    /// The acknowledgements that came too late: the event was handed out again, or will be.
    late: Vec<String>,
}

impl From<Settled> for AcknowledgedEvents {
    fn from(settled: Settled) -> Self {
        Self {
            acknowledged: settled.done,
            late: late(&settled),
        }
    }
}

/// What was given back.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedEvents {
    /// How many events were given back.
    released: usize,
    /// The acknowledgements of events that are not yours to give back: acknowledged, parked or handed out again.
    late: Vec<String>,
}

impl From<Settled> for ReleasedEvents {
    fn from(settled: Settled) -> Self {
        Self {
            released: settled.done,
            late: late(&settled),
        }
    }
}

fn late(settled: &Settled) -> Vec<String> {
    settled.late.iter().map(ToString::to_string).collect()
}
