//! `GET /api/ai/webhooks/event-types`: what endpoints can subscribe to.

use common::webhooks::EventType;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::contract::Answer;

/// The event types.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeList {
    event_types: Vec<EventTypeEntry>,
}

/// An event type.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeEntry {
    /// Its name.
    event_type: &'static str,
    /// What happened.
    description: &'static str,
    /// The JSON Schema (2020-12) of its flat body.
    #[schemars(with = "Map<String, Value>")]
    schema: Value,
    /// A body of it.
    #[schemars(with = "Map<String, Value>")]
    example: Value,
}

/// Every event type with its schema and an example.
pub async fn list_event_types() -> Answer<EventTypeList> {
    let entry = |event_type: EventType| EventTypeEntry {
        event_type: event_type.as_str(),
        description: event_type.description(),
        schema: event_type.schema().clone(),
        example: event_type.example_body().clone(),
    };
    Answer::ok(EventTypeList {
        event_types: EventType::ALL.map(entry).into(),
    })
}
