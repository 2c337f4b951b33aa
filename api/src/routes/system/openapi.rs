//! `GET /api/ai/openapi.json` and `GET /api/ai/openapi-3.1.json`: the API as machines read it.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;

use crate::openapi;

/// It changes with a release.
const CACHING: &str = "public, max-age=300";

/// OpenAPI 3.0.3, without our envelope.
pub async fn get_openapi() -> impl IntoResponse {
    document(&openapi::DOCUMENT_3_0)
}

/// OpenAPI 3.1, without our envelope.
pub async fn get_openapi_3_1() -> impl IntoResponse {
    document(&openapi::DOCUMENT_3_1)
}

fn document(text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHING)];
    (headers, text)
}
