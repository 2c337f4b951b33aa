//! `GET /api/ai/openapi.json` and `GET /api/ai/openapi-3.1.json`: the API as machines read it, in the version
//! that the request speaks.

use axum::Extension;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse as _, Response};

use crate::openapi;
use crate::version::ApiVersion;

/// It changes with a release.
const CACHING: &str = "public, max-age=300";

/// OpenAPI 3.0.3, without our envelope.
pub async fn get_openapi(Extension(version): Extension<ApiVersion>) -> Response {
    document(openapi::in_3_0(version))
}

/// OpenAPI 3.1, without our envelope.
pub async fn get_openapi_3_1(Extension(version): Extension<ApiVersion>) -> Response {
    document(openapi::in_3_1(version))
}

fn document(text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHING)];
    (headers, text).into_response()
}
