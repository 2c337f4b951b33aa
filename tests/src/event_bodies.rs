//! What receivers get against what the catalogue promises them: the receiver of a world checks each
//! webhook that it was sent when the world ends, so every flow test checks the bodies it causes.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::LazyLock;

use common::webhooks::EventType;
use jsonschema::Validator;
use local::receiver::{Received, Receiver};
use serde_json::Value;

static VALIDATORS: LazyLock<HashMap<EventType, Validator>> = LazyLock::new(|| {
    let validator = |event_type: EventType| jsonschema::draft202012::new(&event_type.schema());
    EventType::ALL
        .map(|event_type| (event_type, validator(event_type).unwrap()))
        .into()
});

/// A receiver whose test fails if it was sent what the catalogue does not describe.
#[derive(Debug)]
pub struct StrictReceiver(pub Receiver);

impl Deref for StrictReceiver {
    type Target = Receiver;

    fn deref(&self) -> &Receiver {
        &self.0
    }
}

impl Drop for StrictReceiver {
    fn drop(&mut self) {
        let received = self.0.received();
        let faults: Vec<String> = received.iter().filter_map(|it| fault(it).err()).collect();
        // A second panic would end the process before the first is told.
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "{}", faults.join("\n"));
        }
    }
}

/// Checks a webhook in any payload mode.
fn fault(received: &Received) -> Result<(), String> {
    let told = |fault: String| format!("{fault}: {}", received.text);
    let name = received.headers.get("x-awareness-event");
    let name = name.ok_or_else(|| told("no event type".to_owned()))?;
    let event_type: EventType = name.parse().map_err(told)?;
    check_payload(event_type, &received.body).map_err(told)
}

fn check_payload(event_type: EventType, payload: &Value) -> Result<(), String> {
    let Some(data) = payload.get("data") else {
        return check_body(event_type, payload);
    };
    if keys(payload) != ["type", "id", "timestamp", "sequence", "apiVersion", "data"] {
        return Err("not the envelope".to_owned());
    }
    if payload["type"] != event_type.as_str() {
        return Err(format!("the envelope is not of {event_type}"));
    }
    match keys(data)[..] {
        ["subject", "url"] => Ok(()),
        _ => check_body(event_type, data),
    }
}

/// Checks a flat body: its schema holds, and its properties come in the order of the schema, none
/// beside them.
pub fn check_body(event_type: EventType, body: &Value) -> Result<(), String> {
    let validated = VALIDATORS[&event_type].validate(body);
    validated.map_err(|error| format!("{event_type} at `{}`: {error}", error.instance_path()))?;
    let schema = event_type.schema();
    let mut described = keys(&schema["properties"]).into_iter();
    match keys(body)
        .into_iter()
        .find(|key| !described.any(|name| name == *key))
    {
        Some(key) => Err(format!(
            "{event_type}: `{key}` is not described, or not there"
        )),
        None => Ok(()),
    }
}

fn keys(value: &Value) -> Vec<&str> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(key, _)| key.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_example_is_as_its_schema_says() {
        for event_type in EventType::ALL {
            check_body(event_type, event_type.example_body()).unwrap();
        }
    }

    #[test]
    fn each_schema_says_what_every_property_is() {
        for event_type in EventType::ALL {
            let schema = event_type.schema();
            let properties = schema["properties"].as_object().unwrap();
            let undescribed: Vec<&String> = properties
                .iter()
                .filter(|(_, schema)| {
                    schema.get("const").is_none() && schema.get("description").is_none()
                })
                .map(|(name, _)| name)
                .collect();
            assert!(undescribed.is_empty(), "{event_type}: {undescribed:?}");
        }
    }

    #[test]
    fn a_missing_a_strange_a_misplaced_and_a_mistyped_property_are_faults() {
        let example = EventType::UploadFailed.example_body();
        let (id, error) = (&example["uploadId"], &example["error"]);
        for body in [
            json!({"event": "upload.failed", "uploadId": id}),
            json!({"event": "upload.failed", "uploadId": id, "error": error, "code": "X"}),
            json!({"event": "upload.failed", "error": error, "uploadId": id}),
            json!({"event": "upload.failed", "uploadId": id, "error": null}),
            json!({"event": "upload.completed", "uploadId": id, "error": error}),
            json!("upload.failed"),
        ] {
            assert!(
                check_body(EventType::UploadFailed, &body).is_err(),
                "{body}"
            );
        }
    }

    #[test]
    fn envelopes_are_looked_into() {
        let enveloped = |data: &Value| {
            json!({
                "type": "upload.failed",
                "id": "msg_00000000000000000000000000000001",
                "timestamp": "2026-11-21T10:30:00.000000Z",
                "sequence": 1,
                "apiVersion": "v1",
                "data": data,
            })
        };
        let full = enveloped(EventType::UploadFailed.example_body());
        let thin = enveloped(&json!({"subject": "", "url": ""}));
        check_payload(EventType::UploadFailed, &full).unwrap();
        check_payload(EventType::UploadFailed, &thin).unwrap();
        assert!(check_payload(EventType::UploadCompleted, &full).is_err());
        let other = enveloped(EventType::UploadCompleted.example_body());
        assert!(check_payload(EventType::UploadFailed, &other).is_err());
        let bare = json!({"data": EventType::UploadFailed.example_body()});
        assert!(check_payload(EventType::UploadFailed, &bare).is_err());
    }
}
