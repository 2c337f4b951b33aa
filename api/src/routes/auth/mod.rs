//! Signing in and out: passwords, GitHub, sessions.

mod github;
mod register;
mod sessions;
mod sign_in;

pub use github::{leave_for_github, return_from_github};
pub use register::register_person;
pub use sessions::{
    change_password, list_sessions, revoke_other_sessions, revoke_session, sign_out,
};
pub use sign_in::{refresh_tokens, sign_in};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use common::accounts::{Device, Tokens};

use crate::middleware::ClientAddress;
use crate::routes::success;

/// Who signs in, from where.
fn device(headers: &HeaderMap, address: ClientAddress) -> Device {
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Device {
        user_agent: user_agent.to_owned(),
        address: address.0.to_string(),
    }
}

/// Tokens, which no cache may keep.
fn answer(status: StatusCode, tokens: &Tokens) -> Response {
    let mut response = success(status, tokens);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
