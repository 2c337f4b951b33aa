//! Every request ends: 504 when its handler has taken its time.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};

use crate::error::{ApiError, Code};

/// Cancels a handler that takes longer.
pub async fn deadline(limit: Duration, handled: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(limit, handled).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("The request took longer than {} s.", limit.as_secs());
            ApiError::new(Code::Timeout, message).into_response()
        }
    }
}
