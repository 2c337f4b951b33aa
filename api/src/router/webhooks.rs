//! Who is told of what happens, and what was told.

use axum::Router;
use axum::routing::{delete, get, post};

use crate::routes::webhooks;
use crate::state::ApiState;

/// What may wait for an end.
pub fn waiting() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/ai/webhooks/endpoints/{endpoint_id}/test",
            post(webhooks::test_endpoint),
        )
        .route(
            "/api/ai/webhooks/deliveries/{delivery_id}",
            get(webhooks::get_delivery),
        )
        .route(
            "/api/ai/webhooks/deliveries/{delivery_id}/resend",
            post(webhooks::resend_delivery),
        )
        .route(
            "/api/ai/webhooks/recoveries/{recovery_id}",
            get(webhooks::get_recovery),
        )
}

/// Who is told; these have larger bodies than others.
pub fn endpoints() -> Router<ApiState> {
    let one = "/api/ai/webhooks/endpoints/{endpoint_id}";
    Router::new()
        .route(
            "/api/ai/webhooks/endpoints",
            get(webhooks::list_endpoints).post(webhooks::create_endpoint),
        )
        .route(
            one,
            get(webhooks::get_endpoint)
                .patch(webhooks::change_endpoint)
                .delete(webhooks::delete_endpoint),
        )
        .route(
            &format!("{one}/rotate-secret"),
            post(webhooks::rotate_secret),
        )
        .route(&format!("{one}/enable"), post(webhooks::enable_endpoint))
        .route(&format!("{one}/disable"), post(webhooks::disable_endpoint))
        .route(&format!("{one}/stats"), get(webhooks::get_stats))
        .route(&format!("{one}/recover"), post(webhooks::start_recovery))
        .route(
            "/api/ai/webhooks/event-types",
            get(webhooks::list_event_types),
        )
}

/// What is answered at once: what was told, and what its owner does about it.
pub fn quick() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/ai/webhooks/deliveries",
            get(webhooks::list_deliveries),
        )
        .route(
            "/api/ai/webhooks/recoveries/{recovery_id}/cancel",
            post(webhooks::cancel_recovery),
        )
        .route("/api/ai/webhooks/events", get(webhooks::list_events))
        .route(
            "/api/ai/webhooks/events/{event_id}",
            get(webhooks::get_event),
        )
        .route(
            "/api/ai/webhooks/events/{event_id}/payload",
            delete(webhooks::expunge_event),
        )
        .route("/api/ai/webhooks/payloads", delete(webhooks::expunge_all))
}
