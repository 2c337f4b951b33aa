//! Webhooks: endpoints, the log of what was sent to them, and sending again.

use common::identity::Permission::Webhooks;
use common::limits::{ENDPOINTS_MAX, LIVE_SECRETS_MAX};
use common::webhooks::EventType;

use super::operation::{Operation, delete, get, patch, post};
use crate::access::Access::{Anyone, May};
use crate::openapi::Modes;
use crate::routes::webhooks;

pub fn operations() -> Vec<Operation> {
    let roomy = [endpoints(), steering()].into_iter().flatten();
    let endpoints = roomy.map(Operation::roomy).chain(trial());
    let endpoints = endpoints.map(|row| row.tagged("webhook endpoints"));
    let log = [deliveries(), events(), recoveries()].into_iter().flatten();
    endpoints
        .chain(log.map(|row| row.tagged("webhook log")))
        .collect()
}

fn endpoints() -> Vec<Operation> {
    vec![
        post(
            "/api/ai/webhooks/endpoints",
            webhooks::create_endpoint,
            May(Webhooks),
            "Register an endpoint",
        )
        .about(
            format!(
                "The secret is in this answer and in no other. An account has at most {ENDPOINTS_MAX} endpoints. 404 if what \
                 the key made was deleted since."
            ),
        )
        .takes::<webhooks::EndpointRequest>()
        .gives(201, "The endpoint, which gets what happens from now on.")
        .faults(&[404])
        .calls_back("url", Modes::Any, &EventType::ALL),
        get(
            "/api/ai/webhooks/endpoints",
            webhooks::list_endpoints,
            May(Webhooks),
            "List your endpoints",
        )
        .gives(200, "A page, newest first."),
        get(
            "/api/ai/webhooks/endpoints/{endpoint_id}",
            webhooks::get_endpoint,
            May(Webhooks),
            "Get an endpoint",
        )
        .gives(200, "The endpoint."),
        patch(
            "/api/ai/webhooks/endpoints/{endpoint_id}",
            webhooks::change_endpoint,
            May(Webhooks),
            "Change an endpoint",
        )
        .about("What the body leaves out stays as it is; `headers` are replaced as a whole.")
        .gives(200, "The endpoint."),
        delete(
            "/api/ai/webhooks/endpoints/{endpoint_id}",
            webhooks::delete_endpoint,
            May(Webhooks),
            "Delete an endpoint",
        )
        .about("What it has not received yet is discarded.")
        .empty(204, "It is deleted."),
    ]
}

fn steering() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/webhooks/event-types",
            webhooks::list_event_types,
            Anyone,
            "List event types",
        )
        .gives(200, "Each event type with its schema and an example."),
        post(
            "/api/ai/webhooks/endpoints/{endpoint_id}/rotate-secret",
            webhooks::rotate_secret,
            May(Webhooks),
            "Give an endpoint a new secret",
        )
        .about(format!("At most {LIVE_SECRETS_MAX} sign at the same time."))
        .gives(200, "The new secret, which signs from now on.")
        .faults(&[409]),
        post(
            "/api/ai/webhooks/endpoints/{endpoint_id}/enable",
            webhooks::enable_endpoint,
            May(Webhooks),
            "Enable an endpoint",
        )
        .gives(
            200,
            "The endpoint, and the recovery that sends what was held.",
        )
        .faults(&[409]),
        post(
            "/api/ai/webhooks/endpoints/{endpoint_id}/disable",
            webhooks::disable_endpoint,
            May(Webhooks),
            "Disable an endpoint",
        )
        .about("Its events are held, and sent when it is enabled again.")
        .gives(200, "The endpoint.")
        .faults(&[409]),
        get(
            "/api/ai/webhooks/endpoints/{endpoint_id}/stats",
            webhooks::get_stats,
            May(Webhooks),
            "Get the statistics of an endpoint",
        )
        .gives(
            200,
            "What happened in the last 28 days, and how long attempts took.",
        ),
        post(
            "/api/ai/webhooks/endpoints/{endpoint_id}/recover",
            webhooks::start_recovery,
            May(Webhooks),
            "Send again what an endpoint missed",
        )
        .about("It goes on by itself, at a fifth of the endpoint's rate.")
        .gives(202, "The recovery, which has started.")
        .faults(&[409]),
    ]
}

fn trial() -> Vec<Operation> {
    vec![
        post(
            "/api/ai/webhooks/endpoints/{endpoint_id}/test",
            webhooks::test_endpoint,
            May(Webhooks),
            "Test an endpoint",
        )
        .about("Sends the example of an event type, once, over the same way as real events.")
        .waiting()
        .gives(200, "The delivery, with what the receiver answered.")
        .gives(202, "The delivery, which is under way.")
        .faults(&[409]),
    ]
}

fn deliveries() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/webhooks/deliveries",
            webhooks::list_deliveries,
            May(Webhooks),
            "List deliveries",
        )
        .gives(200, "A page, newest first."),
        get(
            "/api/ai/webhooks/deliveries/{delivery_id}",
            webhooks::get_delivery,
            May(Webhooks),
            "Get a delivery with its attempts",
        )
        .waiting()
        .gives(200, "The delivery."),
        post(
            "/api/ai/webhooks/deliveries/{delivery_id}/resend",
            webhooks::resend_delivery,
            May(Webhooks),
            "Send a delivery again, now",
        )
        .about("This neither stops nor restarts its retry plan. If it arrives, the delivery is delivered.")
        .waiting()
        .gives(200, "The delivery, with what the receiver answered.")
        .gives(202, "The delivery, which is under way.")
        .faults(&[409]),
    ]
}

fn events() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/webhooks/events",
            webhooks::list_events,
            May(Webhooks),
            "List events, sent or not",
        )
        .gives(200, "A page, newest first."),
        get(
            "/api/ai/webhooks/events/{event_id}",
            webhooks::get_event,
            May(Webhooks),
            "Get an event with its body",
        )
        .about("What a `thin` payload refers to.")
        .gives(200, "The event."),
        delete(
            "/api/ai/webhooks/events/{event_id}/payload",
            webhooks::expunge_event,
            May(Webhooks),
            "Delete the body of an event",
        )
        .empty(204, "It is deleted, and sent no more."),
        delete(
            "/api/ai/webhooks/payloads",
            webhooks::expunge_all,
            May(Webhooks),
            "Delete the bodies of all your events",
        )
        .gives(200, "How many were deleted. They are sent no more."),
    ]
}

fn recoveries() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/webhooks/recoveries/{recovery_id}",
            webhooks::get_recovery,
            May(Webhooks),
            "Get a recovery",
        )
        .waiting()
        .gives(200, "The recovery."),
        post(
            "/api/ai/webhooks/recoveries/{recovery_id}/cancel",
            webhooks::cancel_recovery,
            May(Webhooks),
            "Cancel a recovery",
        )
        .about("What it has queued is still sent.")
        .gives(200, "The recovery.")
        .faults(&[409]),
    ]
}
