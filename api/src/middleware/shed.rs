//! Sheds load: what cannot be served soon is refused at once, so that what is under way ends in time.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// Refuses a request when too many are under way. Those that only wait hold no place: they are on
/// other routes.
pub async fn shed(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    match state.requests_in_flight.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => {
            let message = "Too many requests are under way. Please try again.";
            let mut error = ApiError::new(Code::ServiceUnavailable, message);
            error.retry_after_seconds = Some(1);
            error.into_response()
        }
    }
}
