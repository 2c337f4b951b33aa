//! The outermost layer inside the routes: request id, log line, metrics, and the bodies of answers and
//! errors, in the version that the client speaks.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use common::ids::new_request_id;
use common::telemetry::metrics;
use serde_json::Value;
use tracing::Instrument as _;

use super::catch_panic::catch_panic;
use super::prepare::prepare;
use crate::entity_tag::{KnownTags, Tagged};
use crate::error::{ApiError, Code};
use crate::negotiation::{Asked, UnknownVersion};
use crate::routes::{Data, Rendered};
use crate::state::ApiState;
use crate::version::{ApiVersion, V1_DEPRECATED, V1_SUNSET};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const API_VERSION: HeaderName = HeaderName::from_static("api-version");
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Observes a request from its head to the head of its answer.
pub async fn observe(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = new_request_id();
    let method = method_label(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let reader = Reader::of(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!(
        "request",
        request.id = id,
        http.method = method,
        http.route = route
    );
    let handled = catch_panic(prepare(&state, request, next));
    let mut response = handled.instrument(span).await;
    if let Some(Data(data)) = response.extensions_mut().remove::<Data>() {
        reader.render_data(&mut response, data);
    } else if let Some(rendered) = response.extensions_mut().remove::<Arc<Rendered>>() {
        reader.show(&mut response, &rendered);
    } else if let Some(error) = described(&mut response) {
        reader.render_error(&mut response, &error, &id, &state.public_base_url);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    reader.add_headers(response.headers_mut(), &route);
    let status = response.status();
    let seconds = start.elapsed().as_secs_f64();
    let labels = [route.as_str(), method, status.as_str()];
    metrics().http_requests.with_label_values(&labels).inc();
    metrics()
        .http_request_seconds
        .with_label_values(&[route.as_str()])
        .observe(seconds);
    // With the fields of the span, but not in it: its line would be put together twice.
    tracing::info!(
        request.id = id,
        http.method = method,
        http.route = route,
        http.status = status.as_u16(),
        duration_ms = seconds * 1e3,
        "Answered {method} {route}"
    );
    response
}

/// The method as metrics and logs name it: clients may send any word.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    let known: &'static [Method] = &KNOWN;
    let found = known.iter().find(|known| *known == method);
    found.map_or("other", Method::as_str)
}

/// How the client wants to read.
struct Reader {
    asked: Asked,
    /// The entity tags that it knows, if it only reads.
    known: KnownTags,
}

impl Reader {
    fn of(request: &Request) -> Self {
        let asked = request
            .extensions()
            .get::<Result<Asked, UnknownVersion>>()
            .and_then(|asked| asked.clone().ok())
            .unwrap_or_default();
        Self {
            known: if matches!(*request.method(), Method::GET | Method::HEAD) {
                KnownTags::read(request.headers())
            } else {
                KnownTags::default()
            },
            asked,
        }
    }

    /// Writes a body; what the handler said in headers stays.
    fn render(&self, response: &mut Response, body: &Value) {
        let mut rendered = (response.status(), Json(body)).into_response();
        let media_type = self.media_type();
        rendered
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        keep_headers(response, rendered);
    }

    /// Writes a good answer, with an entity tag if its handler wants one.
    fn render_data(&self, response: &mut Response, data: Value) {
        let version = self.asked.version;
        let body = version.answer(data);
        match response.extensions_mut().remove::<Tagged>() {
            None => self.render(response, &body),
            Some(tagged) => {
                let body = serde_json::to_vec(&body).expect("answers have text keys");
                let tag = tagged.tag(version, &body);
                self.send(response, Bytes::from(body), tag);
            }
        }
    }

    /// Shows a body that was written beforehand.
    fn show(&self, response: &mut Response, rendered: &Rendered) {
        let (body, tag) = rendered.written(self.asked.version).clone();
        self.send(response, body, tag);
    }

    /// Sends a body with its tag, or the tag alone to a reader who knows it.
    fn send(&self, response: &mut Response, body: Bytes, tag: HeaderValue) {
        let is_known = response.status() == StatusCode::OK && self.known.has(&tag);
        response.headers_mut().insert(header::ETAG, tag);
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return;
        }
        *response.body_mut() = Body::from(body);
        let media_type = self.media_type();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
    }

    fn media_type(&self) -> HeaderValue {
        if !self.asked.by_media_type {
            return HeaderValue::from_static("application/json");
        }
        let text = format!(
            "application/vnd.awareness.{}+json",
            self.asked.version.as_str()
        );
        HeaderValue::from_str(&text).expect("plain text")
    }

    fn render_error(
        &self,
        response: &mut Response,
        error: &ApiError,
        request_id: &str,
        base_url: &str,
    ) {
        *response.status_mut() = error.code.status();
        self.render(
            response,
            &error.body(request_id, base_url, self.asked.wants_problems),
        );
        if self.asked.wants_problems {
            let problem = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(header::CONTENT_TYPE, problem);
        }
    }

    /// What every answer says of itself.
    fn add_headers(&self, headers: &mut HeaderMap, route: &str) {
        let version = self.asked.version;
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::REFERRER_POLICY, "no-referrer");
        set(header::X_FRAME_OPTIONS, "DENY");
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        if !route.starts_with("/api/") {
            return;
        }
        set(API_VERSION, version.as_str());
        set(header::VARY, "Accept");
        if version == ApiVersion::V1 {
            set(DEPRECATION, V1_DEPRECATED);
            set(SUNSET, V1_SUNSET);
            headers.append(
                header::LINK,
                HeaderValue::from_static(
                    "</docs/versions>; rel=\"deprecation\", </api/v3/ai/docs/>; rel=\"successor-version\"",
                ),
            );
        }
    }
}

fn keep_headers(response: &mut Response, mut rendered: Response) {
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().append(name.clone(), value.clone());
        }
    }
    *response = rendered;
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
        503 => Code::ServiceUnavailable,
        504 => Code::Timeout,
        500..=599 => Code::InternalError,
        _ => return None,
    };
    Some(ApiError::new(
        code,
        code.status().canonical_reason().unwrap_or("Error"),
    ))
}
