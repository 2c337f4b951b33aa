//! What receivers are sent: one operation per event type, its bodies, its headers, and the answers
//! that mean something.

use chrono::{DateTime, Utc};
use common::ids::EventId;
use common::webhooks::EventType;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::contract::reference_to;

/// The headers of each delivery: name, meaning, and an example.
const HEADERS: [(&str, &str, &str); 9] = [
    (
        "webhook-id",
        "The event: the same on each try, so that a receiver can drop what it has had.",
        "msg_01935a7e4c1b7d209f3e6a5b8c2d4e08",
    ),
    (
        "webhook-timestamp",
        "When this try was signed, in Unix seconds. Refuse what is more than five minutes old or early.",
        "1795170600",
    ),
    (
        "webhook-signature",
        "Signatures of `{webhook-id}.{webhook-timestamp}.{body}`, separated by spaces; one that verifies is enough. \
         `v1,` is followed by the base64 of the HMAC-SHA256 under a secret of the endpoint, one for each live secret; \
         `v1a,` by that of an Ed25519 signature under a key of `/.well-known/jwks.json`.",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "x-awareness-signature",
        "The older signature: the HMAC-SHA256 of the raw body under the text of an API key, in 64 lower-case \
         hexadecimal digits. It covers the body alone, so it does not tell a replay.",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
    (
        "x-awareness-event",
        "The type of the event.",
        "upload.completed",
    ),
    (
        "x-awareness-delivery",
        "The delivery: this event on its way to this endpoint.",
        "whd_01935a7e4c1b7d209f3e6a5b8c2d4e07",
    ),
    (
        "x-awareness-attempt",
        "Counts the requests of this delivery, from 1.",
        "1",
    ),
    (
        "x-awareness-sequence",
        "Grows from event to event, with gaps: what has a smaller one happened earlier.",
        "4711",
    ),
    (
        "x-request-id",
        "The request that caused the event.",
        "req_5d41402abc4b2a76b9719d911017c592",
    ),
];

/// In which forms an address gets its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// As its owner chose.
    Any,
    /// The flat body, as addresses of requests do.
    Plain,
}

/// The `webhooks` of the document.
pub fn webhooks() -> Map<String, Value> {
    let entry = |event_type: EventType| {
        let mut post = operation(event_type, Modes::Any);
        post["operationId"] = json!(format!("on_{}", event_type.as_str().replace('.', "_")));
        (event_type.to_string(), json!({ "post": post }))
    };
    EventType::ALL.map(entry).into_iter().collect()
}

/// How an event is sent.
pub fn operation(event_type: EventType, modes: Modes) -> Value {
    let name = title(event_type);
    let body = match modes {
        Modes::Any => json!({ "$ref": format!("#/components/requestBodies/{name}") }),
        Modes::Plain => request_body(&reference_to(&name), None),
    };
    let headers =
        HEADERS.map(|(name, ..)| json!({ "$ref": format!("#/components/parameters/{name}") }));
    let answer = |name: &str| json!({ "$ref": format!("#/components/responses/{name}") });
    json!({
        "tags": ["events"],
        "summary": event_type.description(),
        "security": [],
        "parameters": headers,
        "requestBody": body,
        "responses": {
            "2XX": answer("DeliveryTaken"),
            "410": answer("DeliveryUnwanted"),
            "default": answer("DeliveryRefused"),
        },
    })
}

/// The name of a type's schema: `UploadCompleted`.
fn title(event_type: EventType) -> String {
    let words = event_type.as_str().split(['.', '_']);
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// The flat bodies, and what envelopes have in common.
pub fn schemas() -> Map<String, Value> {
    let mut schemas: Map<String, Value> = EventType::ALL
        .iter()
        .map(|event_type| {
            let mut schema = event_type.schema();
            schema["description"] = json!(event_type.description());
            schema["example"] = event_type.example_body().clone();
            (title(*event_type), schema)
        })
        .collect();
    for event_type in EventType::ALL {
        let name = title(event_type);
        let forms = [("Envelope", &*name), ("Notice", "EventReference")];
        for (form, data) in forms {
            schemas.insert(format!("{name}{form}"), enveloped(event_type, data));
        }
        let forms = ["", "Envelope", "Notice"].map(|form| reference_to(&format!("{name}{form}")));
        let delivery =
            json!({ "description": "In the form that its receiver chose.", "oneOf": forms });
        schemas.insert(format!("{name}Delivery"), delivery);
    }
    let mut generator = SchemaGenerator::default();
    for (name, schema) in [
        ("EventEnvelope", EventEnvelope::json_schema(&mut generator)),
        (
            "EventReference",
            EventReference::json_schema(&mut generator),
        ),
    ] {
        schemas.insert(name.to_owned(), schema.to_value());
    }
    schemas
}

/// What the envelopes of all events have in common.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct EventEnvelope {
    /// The type of the event.
    r#type: String,
    /// The event, as in `webhook-id`.
    id: EventId,
    /// When it happened, with microseconds.
    timestamp: DateTime<Utc>,
    /// Grows from event to event, with gaps.
    sequence: i64,
    /// The version of the body: `v1`.
    api_version: String,
    /// The body, or where it is.
    data: Map<String, Value>,
}

/// Where the body of an event is.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct EventReference {
    /// What the event is about, the same for all events of it.
    subject: Uuid,
    /// Where the event is read, with an API key of its owner.
    #[schemars(url)]
    url: String,
    /// Always true: nothing happened. Only a test has it.
    #[schemars(default)]
    test: bool,
}

/// What is posted of each type, in the form its receiver chose.
pub fn request_bodies() -> Map<String, Value> {
    let body = |event_type: EventType| {
        let name = title(event_type);
        let example = |form: &str, value: Value| json!({ "summary": format!("payload = {form}"), "value": value });
        let plain = event_type.example_body();
        let reference = json!({
            "subject": "01935a7e-4c1b-7d20-9f3e-6a5b8c2d4e09",
            "url": "https://awareness.market/api/ai/webhooks/events/msg_01935a7e4c1b7d209f3e6a5b8c2d4e08",
        });
        let examples = json!({
            "plain": example("plain", plain.clone()),
            "full": example("full", envelope(event_type, plain)),
            "thin": example("thin", envelope(event_type, &reference)),
        });
        let delivery = reference_to(&format!("{name}Delivery"));
        (name, request_body(&delivery, Some(examples)))
    };
    EventType::ALL.map(body).into_iter().collect()
}

fn request_body(schema: &Value, examples: Option<Value>) -> Value {
    let mut media = json!({ "schema": schema });
    if let Some(examples) = examples {
        media["examples"] = examples;
    }
    json!({ "required": true, "content": { "application/json": media } })
}

/// The event in its envelope; its data are described under that name.
fn enveloped(event_type: EventType, data: &str) -> Value {
    json!({
        "allOf": [
            reference_to("EventEnvelope"),
            {
                "type": "object",
                "required": ["type", "data"],
                "properties": {
                    "type": { "type": "string", "enum": [event_type.as_str()], "description": "The type of the event." },
                    "data": reference_to(data),
                },
            },
        ],
    })
}

fn envelope(event_type: EventType, data: &Value) -> Value {
    json!({
        "type": event_type.as_str(),
        "id": "msg_01935a7e4c1b7d209f3e6a5b8c2d4e08",
        "timestamp": "2026-11-21T10:30:00.123456Z",
        "sequence": 4711,
        "apiVersion": "v1",
        "data": data,
    })
}

/// The headers of a delivery.
pub fn parameters() -> Map<String, Value> {
    let parameter = |(name, about, example): (&str, &str, &str)| {
        let parameter = json!({
            "name": name,
            "in": "header",
            "required": true,
            "description": about,
            "schema": { "type": "string" },
            "example": example,
        });
        (name.to_owned(), parameter)
    };
    HEADERS.map(parameter).into_iter().collect()
}

/// The answers of a receiver.
pub fn responses() -> Map<String, Value> {
    let directive = json!({
        "description": "`disable`: send nothing more to this endpoint; `abort-message`: do not send this event again.",
        "schema": { "type": "string", "enum": ["disable", "abort-message"] },
    });
    let retry_after = json!({
        "description": "Seconds, or an HTTP date: no try comes earlier, at most a day later. With 429 or 503 the whole \
                        endpoint waits, and the try is not counted.",
        "schema": { "type": "string" },
    });
    let answers = json!({
        "DeliveryTaken": {
            "description": "Taken. Answer first and work later: the endpoint's timeout covers the whole answer.",
            "headers": { "webhook-delivery": directive.clone() },
        },
        "DeliveryUnwanted": {
            "description": "Gone: answered twice, at least a minute apart, it disables the endpoint.",
            "headers": { "webhook-delivery": directive.clone() },
        },
        "DeliveryRefused": {
            "description": "Anything else is a failure and is tried again by the endpoint's plan. Redirects are not followed.",
            "headers": { "webhook-delivery": directive, "retry-after": retry_after },
        },
    });
    answers.as_object().cloned().unwrap_or_default()
}
