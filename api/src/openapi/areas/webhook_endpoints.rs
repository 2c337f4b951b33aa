//! Webhook endpoints: who is told of what happens.

use common::limits::{
    ENDPOINT_CONCURRENCY_MAX, ENDPOINT_DESCRIPTION_CHARS_MAX, ENDPOINT_RATE_MAX,
    ENDPOINT_TIMEOUT_SECONDS, ENDPOINTS_MAX, LIVE_SECRETS_MAX, RECOVERY_DAYS_MAX,
    SECRET_OVERLAP_SECONDS, SECRET_OVERLAP_SECONDS_MAX,
};
use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::super::deliveries::Modes;
use super::super::operation::Operation;
use super::super::schema::{
    flag, id, integer, list, named, nullable, number, page, partial, range, text, time, url, whole,
    word,
};

const TAG: &str = "webhook endpoints";

pub fn operations() -> Vec<Operation> {
    let mut operations = rows();
    operations.extend(kinds());
    operations.extend(steering());
    operations
}

/// Endpoints as rows: made, shown, changed, taken away.
fn rows() -> Vec<Operation> {
    let one = "/api/ai/webhooks/endpoints/{endpointId}";
    let new = body(
        &["url"],
        json!({ "secret": secret("Your own; one is made if you bring none.") }),
    );
    let source = word(
        "`registered` (the default), or those that requests named.",
        &["registered", "request"],
    );
    let status = word("Where they stand.", &["enabled", "disabled"]);
    vec![
        Operation::new(
            "post",
            "/api/ai/webhooks/endpoints",
            "create_endpoint",
            TAG,
            "Register an endpoint",
        )
        .about(&format!(
            "Its secret is in this answer and in no other. An account has at most {ENDPOINTS_MAX}. 404 if \
             what the key made was deleted since."
        ))
        .header("Idempotency-Key")
        .body(new)
        .answer(
            201,
            "Registered; it is told of what happens from now on.",
            &with_secret(),
        )
        .faults(&[404])
        .calls_back("url", Modes::Any, &EventType::ALL),
        Operation::new(
            "get",
            "/api/ai/webhooks/endpoints",
            "list_endpoints",
            TAG,
            "List your endpoints",
        )
        .query("source", source)
        .query("status", status)
        .paged()
        .answer(200, "A page.", &page("endpoints", &named("Endpoint"))),
        Operation::new("get", one, "get_endpoint", TAG, "Show an endpoint")
            .header("If-None-Match")
            .answer(
                200,
                "The endpoint; the entity tag begins with its version.",
                &named("Endpoint"),
            )
            .empty_answer(304, "As you know it."),
        Operation::new("patch", one, "change_endpoint", TAG, "Change an endpoint")
            .about("What the body leaves out stays as it is; `headers` are replaced as a whole.")
            .header("If-Match")
            .body(body(&[], json!({})))
            .answer(200, "The endpoint as it is now.", &named("Endpoint")),
        Operation::new("delete", one, "delete_endpoint", TAG, "Delete an endpoint")
            .about("What it has not heard yet is discarded.")
            .empty_answer(204, "It is gone."),
    ]
}

/// What an endpoint can be told of.
fn kinds() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/api/ai/webhooks/event-types",
            "list_event_types",
            TAG,
            "List what can be heard of",
        )
        .answer(
            200,
            "Each event type with its schema and an example.",
            &event_types(),
        ),
    ]
}

/// What an owner does with one.
fn steering() -> Vec<Operation> {
    let post = |path: &'static str, id: &'static str, summary: &'static str| {
        Operation::new("post", path, id, TAG, summary)
    };
    let rotate = post(
        "/api/ai/webhooks/endpoints/{endpointId}/rotate-secret",
        "rotate_secret",
        "Give an endpoint a new secret",
    );
    let enable = post(
        "/api/ai/webhooks/endpoints/{endpointId}/enable",
        "enable_endpoint",
        "Send to a disabled endpoint again",
    );
    let disable = post(
        "/api/ai/webhooks/endpoints/{endpointId}/disable",
        "disable_endpoint",
        "Send nothing more to an endpoint",
    );
    let test = post(
        "/api/ai/webhooks/endpoints/{endpointId}/test",
        "test_endpoint",
        "Try an endpoint",
    );
    let recover = post(
        "/api/ai/webhooks/endpoints/{endpointId}/recover",
        "start_recovery",
        "Send again what an endpoint missed",
    );
    let stats = Operation::new(
        "get",
        "/api/ai/webhooks/endpoints/{endpointId}/stats",
        "get_stats",
        TAG,
        "Show how an endpoint did in the last 28 days",
    );
    vec![
        rotate
            .about(&format!(
                "At most {LIVE_SECRETS_MAX} sign at the same time."
            ))
            .optional_body(rotation())
            .answer(200, "The new secret signs from now on.", &rotated())
            .faults(&[409]),
        enable
            .optional_body(enabling())
            .answer(200, "Enabled; a recovery sends what was held.", &enabled())
            .faults(&[409]),
        disable
            .about("Its events are held, and sent when it is enabled again.")
            .optional_body(disabling())
            .answer(200, "The endpoint as it is now.", &named("Endpoint"))
            .faults(&[409]),
        test.about("Sends the example of an event type, once, over the same way as real events.")
            .header("Prefer")
            .optional_body(trial())
            .answer(200, "What the receiver said.", &named("DeliveryTimeline"))
            .answer(
                202,
                "On its way; follow the delivery.",
                &named("DeliveryTimeline"),
            )
            .faults(&[409]),
        recover
            .about("It goes on by itself, at a fifth of the endpoint's rate.")
            .body(recovery())
            .answer(202, "Started; follow the recovery.", &named("Recovery"))
            .faults(&[409]),
        stats.answer(200, "Counts, and how long attempts took.", &self::stats()),
    ]
}

fn rotation() -> Value {
    let most = i64::try_from(SECRET_OVERLAP_SECONDS_MAX).unwrap_or(i64::MAX);
    let about = format!(
        "How long the old ones sign beside it; {SECRET_OVERLAP_SECONDS} if nothing is said."
    );
    partial(
        &[],
        json!({
            "secret": nullable(secret("Your own; one is made if you bring none.")),
            "overlapSeconds": nullable(range(&about, 0, most)),
        }),
    )
}

fn rotated() -> Value {
    whole(json!({
        "endpointId": id("whe", "The endpoint."),
        "secret": secret("The new one. No other answer shows it."),
        "overlapSeconds": integer("How long the old ones sign beside it."),
    }))
}

fn enabling() -> Value {
    partial(
        &[],
        json!({
            "held": word("What becomes of the events that were held; `replay` is the default.", &["replay", "since", "drop"]),
            "since": nullable(time("With `since`: those of this time and later are sent, the others dropped.")),
        }),
    )
}

fn disabling() -> Value {
    partial(
        &[],
        json!({ "reason": nullable(text("Noted, and told to your other endpoints.")) }),
    )
}

fn trial() -> Value {
    partial(
        &[],
        json!({ "eventType": { "type": ["string", "null"], "description": "`endpoint.test`, if nothing is said. The example of another type is sent with `\"test\": true`.", "example": "upload.completed" } }),
    )
}

fn recovery() -> Value {
    partial(
        &["since"],
        json!({
            "mode": word("`failed`: what was given up (the default); `missing`: what the endpoint was never promised.", &["failed", "missing"]),
            "since": time(&format!("From when on, at most {RECOVERY_DAYS_MAX} days ago.")),
            "until": nullable(time("Until when; now, if nothing is said.")),
        }),
    )
}

fn secret(about: &str) -> Value {
    let mut secret = text(&format!(
        "{about} `whsec_` and the base64 of 24 to 64 bytes."
    ));
    secret["pattern"] = json!("^whsec_[A-Za-z0-9+/]+={0,2}$");
    secret
}

fn filters() -> Value {
    list(
        "Which events: types, families such as `purchase.*`, or `*`.",
        &json!({ "type": "string", "example": "purchase.*" }),
    )
}

/// What an owner may choose, and what one operation takes beside it.
fn body(required: &[&str], own: Value) -> Value {
    let (timeout_least, timeout_most) = ENDPOINT_TIMEOUT_SECONDS;
    let mut properties = json!({
        "url": url("Where the receiver is: https, at a public address."),
        "description": { "type": "string", "maxLength": ENDPOINT_DESCRIPTION_CHARS_MAX, "description": "A note of yours." },
        "signingKeyId": { "type": "string", "format": "uuid", "description": "The API key under which `X-Awareness-Signature` is made; yours of this request, if nothing is said." },
        "eventTypes": filters(),
        "payload": word("`full`: an envelope with the body (the default); `thin`: an envelope that says where it is; `plain`: the body alone.", &["plain", "full", "thin"]),
        "ordering": word("`subject`: news of one thing one after the other, each once the one before has arrived or was given up.", &["none", "subject"]),
        "plan": word("When failures are tried again.", &["standard", "fast", "custom"]),
        "planSeconds": list("With `custom`: the waits before the second and each later try.", &json!({ "type": "integer" })),
        "stopOnClientError": flag("Whether a 4xx answer other than 408, 425 and 429 ends a delivery."),
        "ratePerSecond": range("At most so many requests per second.", 1, ENDPOINT_RATE_MAX),
        "concurrency": range("At most so many requests at the same time.", 1, ENDPOINT_CONCURRENCY_MAX),
        "timeoutSeconds": range("How long one request may take, its answer included.", timeout_least, timeout_most),
        "headers": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Headers of your own. Their values are never shown." },
    });
    if let (Some(all), Value::Object(own)) = (properties.as_object_mut(), own) {
        all.extend(own);
    }
    partial(required, properties)
}

fn endpoint() -> Value {
    whole(json!({
        "endpointId": id("whe", "The endpoint."),
        "source": word("Whether you registered it, or a request named it.", &["registered", "request"]),
        "url": url("Where the receiver is."),
        "description": text("A note of yours."),
        "signingKeyId": text("The API key under which `X-Awareness-Signature` is made."),
        "eventTypes": filters(),
        "payload": word("The form of what it is sent.", &["plain", "full", "thin"]),
        "ordering": word("Whether news of one thing come one after the other.", &["none", "subject"]),
        "plan": word("When failures are tried again.", &["standard", "fast", "custom"]),
        "planSeconds": nullable(list("The waits of a custom plan.", &json!({ "type": "integer" }))),
        "stopOnClientError": flag("Whether most 4xx answers end a delivery."),
        "ratePerSecond": integer("Requests per second, at most."),
        "concurrency": integer("Requests at the same time, at most."),
        "timeoutSeconds": integer("How long one request may take."),
        "headerNames": list("The names of your own headers.", &json!({ "type": "string" })),
        "status": word("Whether it is sent to.", &["enabled", "disabled"]),
        "disabledReason": nullable(text("Why not.")),
        "failingSince": nullable(time("Since when nothing has arrived.")),
        "version": integer("Grows with each change; the entity tag."),
        "timestamps": whole(json!({
            "created": time("When it was made."),
            "changed": time("When it was changed."),
            "disabled": nullable(time("When it was disabled.")),
        })),
    }))
}

/// An endpoint and more.
fn endpoint_with(own: Value) -> Value {
    json!({ "allOf": [named("Endpoint"), whole(own)] })
}

fn with_secret() -> Value {
    let about = "No other answer shows it; null if a request with the same `Idempotency-Key` got it before.";
    endpoint_with(json!({ "secret": nullable(secret(about)) }))
}

fn enabled() -> Value {
    endpoint_with(json!({
        "recoveryId": nullable(id("whr", "The recovery that sends what was held.")),
        "recoveryUrl": nullable(text("Where it is followed.")),
    }))
}

fn event_types() -> Value {
    let entry = whole(json!({
        "eventType": text("Its name."),
        "description": text("What happened."),
        "schema": { "type": "object", "description": "The JSON Schema (2020-12) of its flat body." },
        "example": { "type": "object", "description": "A body of it." },
    }));
    whole(json!({ "eventTypes": list("All of them.", &entry) }))
}

fn stats() -> Value {
    let by_status =
        whole(json!({ "status": text("Where they stand."), "count": integer("How many.") }));
    let by_outcome = whole(json!({
        "outcome": text("How they ended."),
        "count": integer("How many."),
        "p50Ms": number("The median duration, in milliseconds."),
        "p99Ms": number("The duration that one in a hundred exceeds."),
    }));
    whole(json!({
        "since": time("Since when it is counted."),
        "deliveries": list("By where they stand.", &by_status),
        "attempts": list("By how they ended.", &by_outcome),
    }))
}

pub fn schemas() -> Map<String, Value> {
    Map::from_iter([("Endpoint".to_owned(), endpoint())])
}
