//! Signing in and out: passwords, GitHub, sessions.

mod fields;
mod github;
mod register;
mod sessions;
mod sign_in;

pub use github::{GitHubSignIn, leave_for_github, return_from_github};
pub use register::register_person;
pub use sessions::{
    change_password, list_sessions, revoke_other_sessions, revoke_session, sign_out,
};
pub use sign_in::{refresh_tokens, sign_in};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use common::accounts::{Device, DeviceToken, Tokens};
use common::limits::SIGN_IN_DEVICE_KEPT;

use crate::contract::Answer;
use crate::middleware::ClientAddress;
use crate::state::ApiState;

/// What a browser keeps, so that it is known at its next sign-in.
const DEVICE_COOKIE: &str = "awareness_device";
const DEVICE_COOKIE_PATH: &str = "/api/auth";

/// Who signs in, from where.
fn device(state: &ApiState, headers: &HeaderMap, address: ClientAddress) -> Device {
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Device {
        user_agent: user_agent.to_owned(),
        address: address.0,
        is_trusted: state.rates.trusts(address.0),
        token: cookie(headers, DEVICE_COOKIE).and_then(DeviceToken::parse),
    }
}

/// Tokens, which no cache may keep, and the cookie of the device.
fn answer(state: &ApiState, status: StatusCode, tokens: Tokens) -> Answer<Tokens> {
    let cookie = tokens.device_token.as_ref().map(|token| {
        set_cookie(
            state,
            (DEVICE_COOKIE, DEVICE_COOKIE_PATH),
            token,
            SIGN_IN_DEVICE_KEPT.as_secs().cast_signed(),
        )
    });
    let answer = Answer::with(status, tokens).uncached();
    match cookie {
        Some(cookie) => answer.header(header::SET_COOKIE, cookie),
        None => answer,
    }
}

/// The value of a cookie that was sent.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A cookie that no script reads and no other site's form sends.
fn set_cookie(
    state: &ApiState,
    (name, path): (&str, &str),
    value: &str,
    seconds: i64,
) -> HeaderValue {
    let secure = if state.public_base_url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{name}={value}; Max-Age={seconds}; Path={path}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("visible characters")
}
