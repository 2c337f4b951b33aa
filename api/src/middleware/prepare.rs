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

/// PostgreSQL takes no NUL, in no text.
fn check_address(request: &Request) -> Result<(), ApiError> {
    match request.uri().to_string().contains("%00") {
        true => Err(ApiError::new(
            Code::InvalidInput,
            "The address must have no NUL characters.",
        )),
        false => Ok(()),
    }
}

async fn prepared(state: &ApiState, request: Request) -> Result<Request, ApiError> {
    let mut request = linger(request);
    check_address(&request)?;
    check_version(&mut request)?;
    identify(state, &mut request).await;
    Ok(request)
}
