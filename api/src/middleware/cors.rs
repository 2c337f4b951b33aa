//! Which pages of other origins may call the API from a browser. They never send cookies: a key or a
//! token is in a header, so any origin that an operator names can be let in.

use std::time::Duration;

use axum::http::{HeaderName, Method, header};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// Headers that a browser may send.
const ASKED: [&str; 10] = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "lease-token",
    "prefer",
    "content-digest",
];

/// Headers that a page may read.
const SHOWN: [&str; 17] = [
    "accept-ranges",
    "api-version",
    "deprecation",
    "etag",
    "idempotent-replayed",
    "link",
    "location",
    "preference-applied",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "repr-digest",
    "retry-after",
    "sunset",
    "x-request-id",
];

/// The layer for these origins; `*` lets in all, none lets in nobody.
pub fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::from(Any)
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(ASKED.map(HeaderName::from_static))
        .expose_headers(SHOWN.map(HeaderName::from_static))
        .vary([header::ORIGIN])
        .max_age(Duration::from_secs(600))
}
