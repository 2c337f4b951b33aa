//! Parameters that several operations take.

use common::limits::{CLIENT_PAGE_ROWS_MAX, IDEMPOTENCY_KEY_CHARS_MAX, WAIT_SECONDS_MAX};
use serde_json::{Map, Value, json};

use super::schema::{id, range, text};

/// All of them by name.
pub fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, prefix, about) in [
        ("packageId", "pkg", "The package."),
        ("endpointId", "whe", "The endpoint."),
        ("deliveryId", "whd", "The delivery."),
        ("eventId", "msg", "The event."),
        ("recoveryId", "whr", "The recovery."),
    ] {
        all.insert(
            name.to_owned(),
            parameter(name, "path", true, id(prefix, about)),
        );
    }
    let limit = range("How many rows.", 1, CLIENT_PAGE_ROWS_MAX);
    all.insert(
        "limit".to_owned(),
        parameter("limit", "query", false, limit),
    );
    let cursor = text("`nextCursor` of the page before.");
    all.insert(
        "cursor".to_owned(),
        parameter("cursor", "query", false, cursor),
    );
    all.extend(headers());
    all
}

fn headers() -> Map<String, Value> {
    let key = json!({
        "type": "string",
        "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
        "description": "Of your choice: a request that is repeated with it is carried out once.",
    });
    let prefer = text(&format!(
        "`wait=N`: wait for the outcome for up to N seconds, at most {WAIT_SECONDS_MAX}."
    ));
    let known = text("The entity tag that you know; what has not changed is not sent again.");
    let seen = text("The entity tag that you have seen; `*` for any.");
    let headers = [
        ("Idempotency-Key", false, key),
        ("Prefer", false, prefer),
        ("If-None-Match", false, known),
        ("If-Match", true, seen),
    ];
    let named = headers.map(|(name, is_required, schema)| {
        (
            name.to_owned(),
            parameter(name, "header", is_required, schema),
        )
    });
    named.into_iter().collect()
}

fn parameter(name: &str, place: &str, is_required: bool, schema: Value) -> Value {
    json!({ "name": name, "in": place, "required": is_required, "schema": schema })
}
