//! What is around every route. The routes themselves are those of the table of operations.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use tower::ServiceBuilder;

use crate::contract::{self, Pace};
use crate::error::{ApiError, Code};
use crate::middleware::{
    admit, compress, cors, limit, note_version, observe, replay, require_admin, tag_compressed,
};
use crate::state::ApiState;

/// The application.
pub fn router(state: ApiState) -> Router {
    let cors = cors(&state.cors_origins);
    let door = |pace: Pace| from_fn_with_state((state.clone(), pace.door()), admit);
    let replayed = from_fn_with_state(state.clone(), replay);
    let clients = Pace::ALL.into_iter().fold(Router::new(), |routes, pace| {
        let replayed = contract::routes(pace, true).layer(replayed.clone());
        let paced = contract::routes(pace, false).merge(replayed);
        routes.merge(paced.layer(door(pace)))
    });
    let operators = contract::operators()
        .layer(replayed)
        .layer(door(Pace::Always))
        .layer(from_fn_with_state(state.clone(), require_admin));
    let routes = clients
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
