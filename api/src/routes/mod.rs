//! The handlers, one file per verb.

pub mod a2a;
pub mod account;
pub mod admin;
pub mod agent_tasks;
pub mod agents;
pub mod analytics;
pub mod auth;
pub mod disputes;
pub mod downloads;
pub mod events;
mod free_text;
pub mod leases;
pub mod ledger;
pub mod listings;
pub mod packages;
mod page;
pub mod payments;
pub mod payouts;
pub mod purchases;
pub mod quotes;
mod rendered;
pub mod system;
pub mod uploads;
mod webhook_url;
pub mod webhooks;

pub use rendered::Rendered;
pub use webhook_url::check_webhook_url;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;

/// What a good answer says, on its way to the outermost layer: only that knows the version in which
/// the client is to read it.
#[derive(Debug, Clone)]
pub struct Data(pub Value);

/// A good answer.
pub fn success<T: Serialize>(status: StatusCode, data: T) -> Response {
    let data = serde_json::to_value(data).expect("answers have text keys");
    let mut response = status.into_response();
    response.extensions_mut().insert(Data(data));
    response
}
