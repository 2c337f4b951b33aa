//! What is around every route. The routes themselves are listed in the folder, by who asks, and by how
//! long an answer may take: at once, after a wait, or for as long as something changes.

mod accounts;
mod market;
mod operators;
mod purchases;
mod system;
mod uploads;
mod webhooks;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use common::limits::{
    EVENT_STREAM_SECONDS_MAX, REQUEST_SECONDS_MAX, SMALL_BODY_BYTES_MAX,
    UPLOAD_REQUEST_SECONDS_MAX, WAIT_SECONDS_MAX, WEBHOOK_BODY_REQUEST_BYTES_MAX,
};
use tower::ServiceBuilder;

use crate::error::{ApiError, Code};
use crate::middleware::{
    Door, Takes, admit, cors, deadline, limit, note_version, observe, prepare, require_admin,
};
use crate::state::ApiState;

/// The application.
pub fn router(state: ApiState) -> Router {
    let cors = cors(&state.cors_origins);
    let receiving = uploads::receiving();
    let waiting = uploads::waiting()
        .merge(purchases::waiting())
        .merge(webhooks::waiting());
    let streaming = uploads::streaming().merge(purchases::streaming());
    let quick = uploads::quick()
        .merge(market::quick())
        .merge(purchases::quick())
        .merge(accounts::quick())
        .merge(webhooks::quick())
        .merge(system::quick());
    let door = |takes, body_bytes_max| {
        let door = Door {
            body_bytes_max,
            takes,
        };
        from_fn_with_state((state.clone(), door), admit)
    };
    let quick = quick
        .layer(door(Takes::Request, SMALL_BODY_BYTES_MAX))
        .merge(webhooks::endpoints().layer(door(Takes::Request, WEBHOOK_BODY_REQUEST_BYTES_MAX)))
        .merge(system::health().layer(door(Takes::Nothing, SMALL_BODY_BYTES_MAX)));
    let waiting = waiting.layer(door(Takes::Wait, SMALL_BODY_BYTES_MAX));
    let streaming = streaming.layer(door(Takes::Stream, SMALL_BODY_BYTES_MAX));
    let operators = operators::all()
        .layer(door(Takes::Nothing, SMALL_BODY_BYTES_MAX))
        .layer(from_fn_with_state(state.clone(), require_admin));
    let routes = Router::new()
        .merge(within(UPLOAD_REQUEST_SECONDS_MAX, receiving))
        .merge(within(WAIT_SECONDS_MAX + 10, waiting))
        .merge(within(EVENT_STREAM_SECONDS_MAX, streaming))
        .merge(within(REQUEST_SECONDS_MAX, quick))
        .method_not_allowed_fallback(no_method)
        .fallback(no_route)
        .layer(from_fn_with_state(state.clone(), limit))
        .merge(within(REQUEST_SECONDS_MAX, operators))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(state.clone(), observe))
                .layer(from_fn_with_state(state.clone(), prepare))
                // Each door counts for itself what arrives.
                .layer(DefaultBodyLimit::disable()),
        )
        .with_state(state);
    // What is around the whole router runs before a request is routed.
    Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(cors)
            .map_request(note_version)
            .service(routes),
    )
}

/// Routes that end after so many seconds.
fn within(seconds: u64, routes: Router<ApiState>) -> Router<ApiState> {
    routes.layer(from_fn_with_state(Duration::from_secs(seconds), deadline))
}

async fn no_route() -> ApiError {
    ApiError::new(Code::NotFound, "There is nothing at this path.")
}

async fn no_method() -> ApiError {
    ApiError::new(
        Code::MethodNotAllowed,
        "This path does not take this method.",
    )
}
