//! What the service says of itself.

use axum::Router;
use axum::routing::get;

use crate::routes::system;
use crate::state::ApiState;

/// What is answered at once.
pub fn quick() -> Router<ApiState> {
    Router::new()
        .route("/.well-known/jwks.json", get(system::get_jwks))
        .route("/api/ai/openapi.json", get(system::get_openapi))
        .route("/api/ai/openapi-3.1.json", get(system::get_openapi_3_1))
        .route("/api/ai/tools.json", get(system::get_tools))
        .route("/api/ai/docs", get(system::show_docs))
        .route("/api/ai/docs/", get(system::show_docs))
        .route("/api/ai/docs/{file}", get(system::show_docs_file))
        .route("/", get(system::show_home))
        .route("/llms.txt", get(system::get_llms_txt))
        .route("/docs/{page}", get(system::show_page))
        .route("/errors/{code}", get(system::show_error_page))
}

/// What is answered whatever else is under way.
pub fn health() -> Router<ApiState> {
    Router::new().route("/health", get(system::health))
}
