//! What is done with a request before anything is decided about it, in one layer: a layer costs as much
//! as a small handler.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::identify::identify;
use super::linger::linger;
use super::version::check_version;
use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// Keeps the body to its end, refuses what nobody could answer, and notes who calls.
pub async fn prepare(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    match prepared(&state, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// PostgreSQL takes no NUL, in no text. What the path names is looked up by ids, which have none.
fn check_query(request: &Request) -> Result<(), ApiError> {
    match request.uri().query() {
        Some(query) if query.contains("%00") => Err(ApiError::new(
            Code::InvalidInput,
            "The query must have no NUL characters.",
        )),
        _ => Ok(()),
    }
}

async fn prepared(state: &ApiState, request: Request) -> Result<Request, ApiError> {
    let mut request = linger(request);
    check_query(&request)?;
    check_version(&mut request)?;
    identify(state, &mut request).await;
    Ok(request)
}
