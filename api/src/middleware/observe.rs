//! The outermost layer: request id, log line, metrics, and the bodies of errors.

use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::ids::new_request_id;
use common::telemetry::metrics;
use tracing::Instrument as _;

use crate::error::{ApiError, Code};

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Observes a request from its head to the head of its answer.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = new_request_id();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let as_problem = accepts_problem(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span =
        tracing::info_span!("request", request.id = id, http.method = %method, http.route = route);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(error) = described(&mut response) {
        render(&mut response, &error, &id, as_problem);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let status = response.status();
    let seconds = start.elapsed().as_secs_f64();
    let labels = [route.as_str(), method.as_str(), status.as_str()];
    metrics().http_requests.with_label_values(&labels).inc();
    metrics()
        .http_request_seconds
        .with_label_values(&[route.as_str()])
        .observe(seconds);
    span.in_scope(|| {
        tracing::info!(
            http.status = status.as_u16(),
            duration_ms = seconds * 1e3,
            "Answered {method} {route}"
        );
    });
    response
}

/// The error behind an answer: the handler's own, or one made by the framework.
fn described(response: &mut Response) -> Option<ApiError> {
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        return Some(error);
    }
    let code = match response.status().as_u16() {
        400 | 422 => Code::InvalidInput,
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        413 => Code::PayloadTooLarge,
        415 => Code::UnsupportedMediaType,
        500..=599 => Code::InternalError,
        _ => return None,
    };
    Some(ApiError::new(
        code,
        code.status().canonical_reason().unwrap_or("Error"),
    ))
}

fn render(response: &mut Response, error: &ApiError, request_id: &str, as_problem: bool) {
    let mut rendered = (
        error.code.status(),
        Json(error.body(request_id, as_problem)),
    )
        .into_response();
    if as_problem {
        let problem = HeaderValue::from_static("application/problem+json");
        rendered.headers_mut().insert(header::CONTENT_TYPE, problem);
    }
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().insert(name.clone(), value.clone());
        }
    }
    *response = rendered;
}

fn accepts_problem(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.contains("application/problem+json"))
}
