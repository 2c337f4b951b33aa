//! `GET /api/auth/github` and `…/callback`: signing in through GitHub.
//!
//! The state that comes back must be one that we gave (it is taken once) to this browser (its cookie),
//! so that nobody can be signed in to somebody else's account.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use common::accounts::{AccountError, GitHub, commands};
use common::limits::OAUTH_SECONDS;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::sign_in::count;
use super::{answer, cookie, device, set_cookie};
use crate::error::{ApiError, Code};
use crate::extract::Query;
use crate::middleware::ClientAddress;
use crate::negotiation::prefers_json;
use crate::routes::success;
use crate::state::ApiState;

/// How its name begins, and where it is sent. Each attempt has a cookie of its own, so that two tabs both get
/// through.
const COOKIE: (&str, &str) = ("awareness_oauth", "/api/auth/github");

/// The cookie of an attempt: named after its state, which is random and not secret to this browser.
fn cookie_of(attempt: &str) -> String {
    let digest = hex::encode(Sha256::digest(attempt));
    format!("{}_{}", COOKIE.0, &digest[..16])
}

/// Sends a browser to GitHub.
pub async fn leave_for_github(
    State(state): State<ApiState>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let github = github(&state)?;
    let leave = commands::leave_for_github(state.pool(), &state.sealer, github).await?;
    let value = |text: &str| HeaderValue::from_str(text).expect("visible characters");
    let mut response = if prefers_json(&asked) {
        success(StatusCode::OK, json!({ "url": leave.url.as_str() }))
    } else {
        let location = [(header::LOCATION, value(leave.url.as_str()))];
        (StatusCode::FOUND, location).into_response()
    };
    let headers = response.headers_mut();
    let secret = &leave.browser_secret;
    headers.insert(
        header::SET_COOKIE,
        set_cookie(
            &state,
            (&cookie_of(&leave.state), COOKIE.1),
            secret,
            OAUTH_SECONDS,
        ),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What GitHub adds to our address; it may add more.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Return {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Signs in whoever comes back.
pub async fn return_from_github(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Query(query): Query<Return>,
) -> Result<Response, ApiError> {
    let github = github(&state)?;
    let given = query.state.as_deref().ok_or(AccountError::AttemptUnknown)?;
    let cookie_name = cookie_of(given);
    let secret = cookie(&headers, &cookie_name).ok_or(AccountError::AttemptUnknown)?;
    let verifier = commands::take_attempt(state.pool(), &state.sealer, given, secret).await?;
    if let Some(error) = query.error {
        let reason: String = error.chars().take(100).collect();
        return Err(
            ApiError::new(Code::Unauthorized, "GitHub did not sign you in.").field("error", reason),
        );
    }
    let missing =
        || ApiError::new(Code::InvalidInput, "code is missing.").field("code", "is required");
    let code = query.code.ok_or_else(missing)?;
    let arrived = github.arrive(&code, &verifier).await;
    count("github", arrived.is_ok());
    let tokens = commands::sign_in_from_github(
        state.pool(),
        &state.sealer,
        &state.tokens,
        &arrived?,
        &device(&state, &headers, address),
    )
    .await?;
    let mut response = answer(&state, StatusCode::OK, &tokens);
    let gone = set_cookie(&state, (&cookie_name, COOKIE.1), "", 0);
    response.headers_mut().append(header::SET_COOKIE, gone);
    Ok(response)
}

/// A link preview that looks at the address first must not use its code up.
pub async fn refuse_head() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "This path is for GET.")
}

fn github(state: &ApiState) -> Result<&GitHub, ApiError> {
    state.github.as_ref().ok_or_else(|| {
        ApiError::new(
            Code::NotFound,
            "Signing in through GitHub is not set up here.",
        )
    })
}
