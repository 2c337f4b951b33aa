//! `GET /api/auth/github` and `…/callback`: signing in through GitHub.
//!
//! The state that comes back must be one that we gave (it is taken once) to this browser (its cookie),
//! so that nobody can be signed in to somebody else's account.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use common::accounts::{AccountError, GitHub, Tokens, commands};
use common::limits::OAUTH_SECONDS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::sign_in::count;
use super::{answer, cookie, device, set_cookie};
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::Query;
use crate::middleware::ClientAddress;
use crate::negotiation::prefers_json;
use crate::state::ApiState;

/// How its name begins, and where it is sent. Each attempt has a cookie of its own, so that two tabs both get
/// through.
const COOKIE: (&str, &str) = ("awareness_oauth", "/api/auth/github");

/// The cookie of an attempt: named after its state, which is random and not secret to this browser.
fn cookie_of(attempt: &str) -> String {
    let digest = hex::encode(Sha256::digest(attempt));
    format!("{}_{}", COOKIE.0, &digest[..16])
}

/// Where to sign in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GitHubSignIn {
    /// The address at GitHub.
    #[schemars(url)]
    url: String,
}

/// Sends a browser to GitHub.
pub async fn leave_for_github(
    State(state): State<ApiState>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let github = github(&state)?;
    let leave = commands::leave_for_github(state.pool(), &state.sealer, github).await?;
    let url = leave.url.to_string();
    let mut response = if prefers_json(&asked) {
        Answer::ok(GitHubSignIn { url }).into_response()
    } else {
        (StatusCode::FOUND, [(header::LOCATION, url)]).into_response()
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
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Return {
    /// GitHub's code.
    code: Option<String>,
    /// The state that we gave.
    state: Option<String>,
    /// Why GitHub refused.
    error: Option<String>,
}

/// Signs in whoever comes back.
pub async fn return_from_github(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Query(query): Query<Return>,
) -> Result<Answer<Tokens>, ApiError> {
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
    let gone = set_cookie(&state, (&cookie_name, COOKIE.1), "", 0);
    Ok(answer(&state, StatusCode::OK, tokens).header(header::SET_COOKIE, gone))
}

fn github(state: &ApiState) -> Result<&GitHub, ApiError> {
    state.github.as_ref().ok_or_else(|| {
        ApiError::new(
            Code::NotFound,
            "Signing in through GitHub is not set up here.",
        )
    })
}
