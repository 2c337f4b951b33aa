//! What is around every route. The routes themselves are listed in the folder, by who asks, and by how
//! long an answer may take: at once, after a wait, or for as long as something changes.

mod accounts;
mod market;
mod system;
mod uploads;
mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use common::limits::{
    EVENT_STREAM_SECONDS_MAX, REQUEST_SECONDS_MAX, SMALL_BODY_BYTES_MAX,
    UPLOAD_REQUEST_SECONDS_MAX, WAIT_SECONDS_MAX, WEBHOOK_BODY_REQUEST_BYTES_MAX,
};
use tower::ServiceBuilder;

use crate::contract::{self, Pace};
use crate::error::{ApiError, Code};
use crate::middleware::{
    Door, Takes, admit, compress, cors, limit, note_version, observe, replay, require_admin,
    tag_compressed,
};
use crate::state::ApiState;

/// The application.
pub fn router(state: ApiState) -> Router {
    let cors = cors(&state.cors_origins);
    let door = |seconds_max, body_bytes_max, takes| {
        let door = Door {
            seconds_max,
            body_bytes_max,
            takes,
        };
        from_fn_with_state((state.clone(), door), admit)
    };
    let small = Some(SMALL_BODY_BYTES_MAX);
    let receiving = uploads::receiving();
    let waiting = uploads::waiting()
        .merge(webhooks::waiting())
        .merge(contract::routes(Pace::Waiting, false));
    let streaming = uploads::streaming().merge(contract::routes(Pace::Streaming, false));
    let replayed = from_fn_with_state(state.clone(), replay);
    let quick = uploads::quick()
        .merge(contract::routes(Pace::Quick, true).layer(replayed.clone()))
        .merge(contract::routes(Pace::Quick, false))
        .merge(market::quick())
        .merge(accounts::quick())
        .merge(webhooks::quick())
        .merge(system::quick());
    let endpoints_body = Some(WEBHOOK_BODY_REQUEST_BYTES_MAX);
    let operators = contract::operators()
        .layer(replayed)
        .layer(door(REQUEST_SECONDS_MAX, small, Takes::Nothing))
        .layer(from_fn_with_state(state.clone(), require_admin));
    let routes = Router::new()
        .merge(receiving.layer(door(UPLOAD_REQUEST_SECONDS_MAX, None, Takes::Nothing)))
        .merge(waiting.layer(door(WAIT_SECONDS_MAX + 10, small, Takes::Wait)))
        .merge(streaming.layer(door(EVENT_STREAM_SECONDS_MAX, small, Takes::Stream)))
        .merge(quick.layer(door(REQUEST_SECONDS_MAX, small, Takes::Request)))
        .merge(webhooks::endpoints().layer(door(
            REQUEST_SECONDS_MAX,
            endpoints_body,
            Takes::Request,
        )))
        .merge(system::health().layer(door(REQUEST_SECONDS_MAX, small, Takes::Nothing)))
        .method_not_allowed_fallback(no_method)
        .fallback(no_route)
        .layer(from_fn_with_state(state.clone(), limit))
        .merge(operators)
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(state.clone(), observe))
                // Each door counts for itself what arrives.
                .layer(DefaultBodyLimit::disable()),
        )
        .with_state(state);
    // What is around the whole router runs before a request is routed.
    Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(cors)
            .map_response(tag_compressed)
            .layer(compress())
            .map_request(note_version)
            .service(routes),
    )
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
