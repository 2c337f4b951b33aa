//! The handlers, one file per verb.

pub mod admin;
pub mod disputes;
pub mod downloads;
mod free_text;
pub mod ledger;
pub mod listings;
pub mod payments;
pub mod payouts;
pub mod purchases;
pub mod quotes;
pub mod system;
pub mod uploads;
mod webhook_url;
pub mod webhooks;

pub use webhook_url::check_webhook_url;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// The seed's envelope around a good answer.
#[derive(Debug, Serialize)]
struct Success<T> {
    success: bool,
    data: T,
}

/// A good answer.
pub fn success<T: Serialize>(status: StatusCode, data: T) -> Response {
    (
        status,
        Json(Success {
            success: true,
            data,
        }),
    )
        .into_response()
}
