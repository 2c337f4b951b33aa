//! What is sent of an event: the seed's flat body as it was stored, or an envelope around it.
//!
//! An envelope is put together from what never changes (id, sequence, time, type, stored bytes), so
//! each try of a delivery sends and signs the same bytes.

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::EventId;
use crate::limits::WEBHOOK_BODY_BYTES_MAX;

/// The version of the event bodies.
pub const API_VERSION: &str = "v1";

/// How an endpoint wants its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum PayloadMode {
    /// The body alone, byte for byte the seed's.
    Plain,
    /// An envelope with the body as its data.
    Full,
    /// An envelope that says where the event can be read.
    Thin,
}

/// An event as it was stored.
#[derive(Debug, Clone)]
pub struct StoredEvent<'a> {
    pub id: EventId,
    pub event_type: &'a str,
    pub subject: Uuid,
    pub sequence: i64,
    pub occurred_at: DateTime<Utc>,
    pub body: &'a [u8],
    /// Nothing happened: the endpoint is tested.
    pub is_test: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(rename = "type")]
    event_type: &'a str,
    id: EventId,
    timestamp: String,
    sequence: i64,
    api_version: &'static str,
}

#[derive(Serialize)]
struct Reference {
    subject: Uuid,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<bool>,
}

/// The bytes for an endpoint of that mode. A body beyond [`WEBHOOK_BODY_BYTES_MAX`] is always sent thin.
pub fn render(event: &StoredEvent<'_>, mode: PayloadMode, public_base_url: &str) -> Vec<u8> {
    let is_large = event.body.len() > WEBHOOK_BODY_BYTES_MAX;
    match mode {
        PayloadMode::Plain if !is_large => event.body.to_vec(),
        PayloadMode::Full if !is_large => enveloped(event, event.body),
        _ => {
            let reference = Reference {
                subject: event.subject,
                url: format!("{public_base_url}/api/ai/webhooks/events/{}", event.id),
                test: event.is_test.then_some(true),
            };
            let data = serde_json::to_vec(&reference).expect("plain text serialises");
            enveloped(event, &data)
        }
    }
}

/// The envelope with those bytes of JSON as its data.
fn enveloped(event: &StoredEvent<'_>, data: &[u8]) -> Vec<u8> {
    let head = Head {
        event_type: event.event_type,
        id: event.id,
        timestamp: event
            .occurred_at
            .to_rfc3339_opts(SecondsFormat::Micros, true),
        sequence: event.sequence,
        api_version: API_VERSION,
    };
    let mut bytes = serde_json::to_vec(&head).expect("plain text serialises");
    bytes.pop();
    bytes.extend_from_slice(b",\"data\":");
    bytes.extend_from_slice(data);
    bytes.push(b'}');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"event":"upload.completed", "uploadId":"upload_1"}"#;

    fn event(body: &[u8]) -> StoredEvent<'_> {
        StoredEvent {
            id: EventId(Uuid::from_u128(1)),
            event_type: "upload.completed",
            subject: Uuid::from_u128(2),
            sequence: 7,
            occurred_at: DateTime::from_timestamp_micros(1_614_265_330_123_456).unwrap(),
            is_test: false,
            body,
        }
    }

    #[test]
    fn a_plain_body_is_sent_byte_for_byte() {
        assert_eq!(render(&event(BODY), PayloadMode::Plain, ""), BODY);
    }

    #[test]
    fn an_envelope_carries_the_stored_bytes_unchanged() {
        let text = String::from_utf8(render(&event(BODY), PayloadMode::Full, "")).unwrap();
        assert_eq!(
            text,
            r#"{"type":"upload.completed","id":"msg_00000000000000000000000000000001","timestamp":"2021-02-25T15:02:10.123456Z","sequence":7,"apiVersion":"v1","data":{"event":"upload.completed", "uploadId":"upload_1"}}"#
        );
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    #[test]
    fn thin_and_oversized_events_say_where_they_can_be_read() {
        let large = vec![b' '; WEBHOOK_BODY_BYTES_MAX + 1];
        let test = StoredEvent {
            is_test: true,
            ..event(BODY)
        };
        let bytes = render(&test, PayloadMode::Thin, "");
        let sent: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(sent["data"]["test"], true);
        for (body, mode) in [
            (BODY, PayloadMode::Thin),
            (&large, PayloadMode::Plain),
            (&large, PayloadMode::Full),
        ] {
            let bytes = render(&event(body), mode, "https://awareness.market");
            let sent: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(
                sent["data"]["url"],
                "https://awareness.market/api/ai/webhooks/events/msg_00000000000000000000000000000001"
            );
        }
    }
}
