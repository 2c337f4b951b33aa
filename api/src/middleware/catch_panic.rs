//! A handler that panics answers 500 like any other fault, and the connection lives on.

use std::panic::AssertUnwindSafe;

use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;

use crate::error::{ApiError, Code};

/// Turns a panic into an answer.
pub async fn catch_panic(handled: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(response) => response,
        Err(_panic) => {
            tracing::error!("A handler panicked");
            ApiError::new(Code::InternalError, "An internal error occurred.").into_response()
        }
    }
}
