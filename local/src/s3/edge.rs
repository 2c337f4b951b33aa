//! What S3 does in front of a store: it refuses a request that is signed twice, and lets browsers in (CORS).

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, HeaderValue, ORIGIN,
};
use hyper::{Method, Request, StatusCode};
use s3s::service::S3Service;
use s3s::{Body, HttpError, HttpResponse};

const METHODS: &str = "GET, HEAD, PUT";
const EXPOSED: &str =
    "ETag, Content-Range, Accept-Ranges, x-amz-checksum-sha256, x-amz-meta-sha256";
const PREFLIGHT_SECONDS: &str = "3000";

/// The store behind that edge.
#[derive(Clone)]
pub(super) struct Edge(S3Service);

impl Edge {
    pub(super) fn new(service: S3Service) -> Self {
        Self(service)
    }

    pub(super) async fn call(&self, request: Request<Body>) -> Result<HttpResponse, HttpError> {
        let headers = request.headers();
        let is_from_browser = headers.contains_key(ORIGIN);
        if request.method() == Method::OPTIONS {
            return Ok(preflight(&request));
        }
        let mut response = if is_signed_twice(&request) {
            refusal(
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            )
        } else {
            self.0.call(request).await?
        };
        if is_from_browser {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(EXPOSED),
            );
        }
        Ok(response)
    }
}

/// By its query and by its header. AWS and MinIO refuse that; an HTTP client does it that carries its
/// `Authorization` along to where it is redirected.
fn is_signed_twice(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let is_presigned = query
        .split('&')
        .any(|pair| pair.starts_with("X-Amz-Algorithm="));
    is_presigned && request.headers().contains_key(AUTHORIZATION)
}

/// Which requests a page of another origin may send.
fn preflight(request: &Request<Body>) -> HttpResponse {
    let asked = request.headers();
    let method = asked
        .get(ACCESS_CONTROL_REQUEST_METHOD)
        .map(HeaderValue::as_bytes);
    if !method.is_some_and(|method| [&b"GET"[..], b"HEAD", b"PUT"].contains(&method))
        || !asked.contains_key(ORIGIN)
    {
        return refusal(
            StatusCode::FORBIDDEN,
            "AccessForbidden",
            "CORSResponse: This CORS request is not allowed.",
        );
    }
    let mut response = HttpResponse::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(METHODS),
    );
    headers.insert(
        ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static(PREFLIGHT_SECONDS),
    );
    if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

/// An error as S3 writes it.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = status;
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(CONTENT_TYPE, xml);
    response
}
