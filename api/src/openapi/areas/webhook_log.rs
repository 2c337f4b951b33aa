//! The log of webhooks: events, deliveries, attempts, and sending again.

use common::limits::WEBHOOK_ATTEMPTS_SHOWN_MAX;
use serde_json::{Map, Value, json};

use super::super::operation::Operation;
use super::super::schema::{
    id, integer, list, named, nullable, number, page, text, time, url, whole, word,
};

const TAG: &str = "webhook log";
const DELIVERY_STATES: [&str; 5] = ["pending", "delivered", "failed", "held", "discarded"];

pub fn operations() -> Vec<Operation> {
    [deliveries(), events(), recoveries()]
        .into_iter()
        .flatten()
        .collect()
}

fn deliveries() -> Vec<Operation> {
    let one = "/api/ai/webhooks/deliveries/{deliveryId}";
    vec![
        Operation::new(
            "get",
            "/api/ai/webhooks/deliveries",
            "list_deliveries",
            TAG,
            "List deliveries",
        )
        .query("endpointId", id("whe", "To this endpoint."))
        .query("eventId", id("msg", "Of this event."))
        .query("status", word("That stand like this.", &DELIVERY_STATES))
        .query("eventType", text("Of events of this type."))
        .query("outcome", text("Whose last attempt ended like this."))
        .query(
            "statusCode",
            integer("Whose last attempt was answered with this."),
        )
        .query("since", time("Made at this time or later."))
        .query("until", time("Made before this time."))
        .paged()
        .answer(200, "A page.", &page("deliveries", &named("Delivery"))),
        Operation::new(
            "get",
            one,
            "get_delivery",
            TAG,
            "Show a delivery with its attempts",
        )
        .header("Prefer")
        .header("If-None-Match")
        .answer(200, "The delivery.", &named("DeliveryTimeline"))
        .empty_answer(304, "Nothing has changed."),
        Operation::new(
            "post",
            "/api/ai/webhooks/deliveries/{deliveryId}/resend",
            "resend_delivery",
            TAG,
            "Send a delivery once more, now",
        )
        .about("It neither stops nor restarts the plan; if it arrives, the delivery has arrived.")
        .header("Prefer")
        .answer(200, "What the receiver said.", &named("DeliveryTimeline"))
        .answer(
            202,
            "On its way; follow the delivery.",
            &named("DeliveryTimeline"),
        )
        .faults(&[409]),
    ]
}

fn events() -> Vec<Operation> {
    let event = json!({
        "allOf": [named("Event"), whole(json!({
            "payload": nullable(json!({ "type": "object", "description": "The body; null if it is forgotten." })),
            "deliveries": list("Where it was sent.", &named("Delivery")),
        }))],
    });
    let forgotten = whole(json!({ "expunged": integer("How many.") }));
    vec![
        Operation::new(
            "get",
            "/api/ai/webhooks/events",
            "list_events",
            TAG,
            "List what happened, whoever was told",
        )
        .query("eventType", text("Of this type."))
        .query("since", time("At this time or later."))
        .query("until", time("Before this time."))
        .paged()
        .answer(200, "A page.", &page("events", &named("Event"))),
        Operation::new(
            "get",
            "/api/ai/webhooks/events/{eventId}",
            "get_event",
            TAG,
            "Show an event with its body",
        )
        .about("What a `thin` payload refers to.")
        .answer(200, "The event.", &event),
        Operation::new(
            "delete",
            "/api/ai/webhooks/events/{eventId}/payload",
            "expunge_event",
            TAG,
            "Forget the body of an event",
        )
        .empty_answer(204, "Forgotten; it is sent no more."),
        Operation::new(
            "delete",
            "/api/ai/webhooks/payloads",
            "expunge_all",
            TAG,
            "Forget the bodies of all your events",
        )
        .answer(200, "Forgotten; they are sent no more.", &forgotten),
    ]
}

fn recoveries() -> Vec<Operation> {
    let one = "/api/ai/webhooks/recoveries/{recoveryId}";
    vec![
        Operation::new("get", one, "get_recovery", TAG, "Show a recovery")
            .header("Prefer")
            .header("If-None-Match")
            .answer(200, "The recovery.", &named("Recovery"))
            .empty_answer(304, "Nothing has changed."),
        Operation::new(
            "post",
            "/api/ai/webhooks/recoveries/{recoveryId}/cancel",
            "cancel_recovery",
            TAG,
            "Stop a recovery",
        )
        .about("What it has queued is still sent.")
        .answer(200, "The recovery as it is now.", &named("Recovery"))
        .faults(&[409]),
    ]
}

fn delivery() -> Value {
    whole(json!({
        "deliveryId": id("whd", "The delivery."),
        "eventId": id("msg", "Its event."),
        "endpointId": id("whe", "Its endpoint."),
        "url": url("The endpoint's address."),
        "eventType": text("The type of the event."),
        "sequence": integer("The place of the event among all."),
        "status": word("Where it stands.", &DELIVERY_STATES),
        "trigger": word("What causes the next attempt, or caused the last.", &["plan", "manual", "recovery", "test"]),
        "attempts": integer("How many requests were made."),
        "tries": integer("How many of them the plan paid for."),
        "holds": integer("How many cost nothing, because the receiver asked for time."),
        "lastOutcome": nullable(text("How the last attempt ended.")),
        "lastStatusCode": nullable(integer("What it was answered.")),
        "recoveryId": nullable(id("whr", "The recovery that sent it again.")),
        "nextAttemptAt": nullable(time("When it is tried again.")),
        "timestamps": whole(json!({
            "created": time("When it was promised."),
            "accepted": time("From when on its plan counts."),
            "finished": nullable(time("When it ended.")),
        })),
    }))
}

fn attempt() -> Value {
    let phase = |about: &str| nullable(number(&format!("{about}, in milliseconds.")));
    whole(json!({
        "attempt": integer("Counts the requests of the delivery."),
        "at": time("When it had ended."),
        "trigger": word("What caused it.", &["plan", "manual", "recovery", "test"]),
        "outcome": text("How it ended: `delivered`, or why not."),
        "statusCode": nullable(integer("What it was answered.")),
        "detail": text("Why not, for people."),
        "resolveMs": phase("The look-up of the name"),
        "connectMs": phase("The connection"),
        "firstByteMs": phase("Until the head of the answer"),
        "bodyMs": phase("The rest of the answer"),
        "durationMs": number("All of it, in milliseconds."),
        "response": text("How the answer began."),
    }))
}

fn recovery() -> Value {
    whole(json!({
        "recoveryId": id("whr", "The recovery."),
        "endpointId": id("whe", "Its endpoint."),
        "mode": word("What is sent.", &["failed", "held", "missing"]),
        "status": word("Where it stands.", &["running", "done", "cancelled"]),
        "since": time("From when on."),
        "until": time("Until when."),
        "total": integer("How many there were when it started."),
        "queued": integer("How many it has queued."),
        "delivered": integer("How many of those have arrived."),
        "failed": integer("How many of those were given up again."),
        "timestamps": whole(json!({
            "created": time("When it started."),
            "finished": nullable(time("When it ended.")),
        })),
    }))
}

fn event() -> Value {
    whole(json!({
        "eventId": id("msg", "The event."),
        "eventType": text("Its type."),
        "subject": text("What it is about."),
        "sequence": integer("Its place among all."),
        "requestId": text("The request that caused it."),
        "timestamps": whole(json!({
            "occurred": time("When it happened."),
            "expunged": nullable(time("When its body was forgotten.")),
        })),
    }))
}

pub fn schemas() -> Map<String, Value> {
    let about =
        format!("The attempts, newest first, at most {WEBHOOK_ATTEMPTS_SHOWN_MAX} of them.");
    let timeline = whole(json!({ "timeline": list(&about, &named("Attempt")) }));
    let timeline = json!({ "allOf": [named("Delivery"), timeline] });
    let schemas = [
        ("Attempt", attempt()),
        ("Delivery", delivery()),
        ("DeliveryTimeline", timeline),
        ("Event", event()),
        ("Recovery", recovery()),
    ];
    schemas
        .map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}
