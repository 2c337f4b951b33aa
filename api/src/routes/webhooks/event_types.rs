//! `GET /api/ai/webhooks/event-types`: what can be heard of.

use axum::http::StatusCode;
use axum::response::Response;
use common::webhooks::EventType;
use serde_json::{Value, json};

use crate::routes::success;

/// Every event type with its schema and an example.
pub async fn list_event_types() -> Response {
    let types: Vec<Value> = EventType::ALL
        .iter()
        .map(|event_type| {
            json!({
                "eventType": event_type.as_str(),
                "description": event_type.description(),
                "schema": event_type.schema(),
                "example": event_type.example_body(),
            })
        })
        .collect();
    success(StatusCode::OK, json!({ "eventTypes": types }))
}
