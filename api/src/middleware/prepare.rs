//! What is done with a request before anything is decided about it.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use percent_encoding::percent_decode_str;

use super::identify::identify;
use super::linger::linger;
use super::version::check_version;
use crate::error::{ApiError, Code};
use crate::extract::{DryRun, QueryPairs};
use crate::state::ApiState;

/// Keeps the body to its end, refuses what nobody could answer, and notes who calls.
pub async fn prepare(state: &ApiState, request: Request, next: Next) -> Response {
    match prepared(state, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn prepared(state: &ApiState, mut request: Request) -> Result<Request, ApiError> {
    check_path(request.uri().path())?;
    check_encoding(request.headers())?;
    let query = QueryPairs::read(request.uri())?;
    request.extensions_mut().insert(DryRun::try_from(&query)?);
    request.extensions_mut().insert(query);
    check_version(&mut request)?;
    identify(state, &mut request).await;
    Ok(linger(state, request))
}

/// Bodies are taken as they are: one that is compressed has no size before it is unpacked.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut named = encodings.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if named.all(|name| {
        name.trim_ascii().is_empty() || name.trim_ascii().eq_ignore_ascii_case(b"identity")
    }) {
        return Ok(());
    }
    let message = "Send the body without Content-Encoding; compressed ones are not taken.";
    Err(ApiError::new(Code::UnsupportedMediaType, message))
}

/// A path is text without control characters, of which PostgreSQL would not take all.
fn check_path(path: &str) -> Result<(), ApiError> {
    let decoded = percent_decode_str(path).decode_utf8();
    if decoded.is_ok_and(|path| !path.contains(char::is_control)) {
        return Ok(());
    }
    let message = "The path must be UTF-8 without control characters.";
    Err(ApiError::new(Code::InvalidInput, message))
}
