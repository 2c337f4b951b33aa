//! `GET /.well-known/jwks.json`: the public keys under which receipts and quotes verify.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse as _, Response};

use crate::state::ApiState;

/// RFC 7517, section 8.5.2.
const MEDIA_TYPE: &str = "application/jwk-set+json";
/// A verifier that meets an unknown key looks again after five minutes.
const CACHING: &str = "public, max-age=300";

/// The live key and the retired ones, as any JOSE library reads them: without our envelope.
pub async fn get_jwks(State(state): State<ApiState>) -> Response {
    let headers: [(HeaderName, &str); 2] = [(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, CACHING)];
    (headers, Json(state.signer.jwks())).into_response()
}
