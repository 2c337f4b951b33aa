//! What is done with a request before anything is decided about it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::identify::identify;
use super::linger::linger;
use super::version::check_version;
use crate::error::ApiError;
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
    let query = QueryPairs::read(request.uri())?;
    request.extensions_mut().insert(DryRun::try_from(&query)?);
    check_version(&mut request)?;
    identify(state, &mut request).await;
    Ok(linger(state, request))
}
