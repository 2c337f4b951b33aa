//! `POST /api/auth/login` and `/api/auth/refresh`.

use std::sync::LazyLock;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use common::accounts::{AccountError, RefreshToken, commands};
use common::config::RatePolicy;
use common::secrecy::{ExposeSecret as _, SecretString};
use common::telemetry::metrics;
use common::throttle::Ask;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{answer, device};
use crate::error::{ApiError, Code};
use crate::extract::Json;
use crate::limits::Applied;
use crate::middleware::{ClientAddress, refusal};
use crate::state::ApiState;

/// Wrong passwords of one account, wherever they come from.
static WRONG_PASSWORDS: LazyLock<RatePolicy> =
    LazyLock::new(|| "wrong-password=20/900/user/sign-in".parse().expect("sound"));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: SecretString,
}

/// Signs in with a password.
pub async fn sign_in(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Json(credentials): Json<Credentials>,
) -> Result<Response, ApiError> {
    let subject = hex::encode(Sha256::digest(credentials.email.trim().to_lowercase()));
    wrong_passwords(&state, &subject, 0).await?;
    let signed_in = commands::sign_in(
        state.pool(),
        &state.passwords,
        &state.tokens,
        &credentials.email,
        &credentials.password,
        &device(&headers, address),
    )
    .await;
    count("password", signed_in.is_ok());
    if let Err(AccountError::WrongCredentials) = &signed_in {
        wrong_passwords(&state, &subject, 1).await?;
    }
    Ok(answer(StatusCode::OK, &signed_in?))
}

/// Refuses when an account had too many; the window is full once there is no room for one more.
async fn wrong_passwords(state: &ApiState, subject: &str, units: i64) -> Result<(), ApiError> {
    let ask = Ask {
        policy: &WRONG_PASSWORDS,
        subject: subject.to_owned(),
        units,
    };
    let standings = state.throttle.take(&[ask]).await.into_iter();
    let mut windows: Vec<Applied> = standings
        .map(|standing| Applied {
            policy: WRONG_PASSWORDS.clone(),
            standing,
        })
        .collect();
    if units == 0 {
        windows.iter_mut().for_each(Applied::refuse_if_full);
    }
    refusal(&windows).map_or(Ok(()), Err)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refresh {
    refresh_token: SecretString,
}

/// Gives the next pair of tokens. The old refresh token is used up.
pub async fn refresh_tokens(
    State(state): State<ApiState>,
    Json(refresh): Json<Refresh>,
) -> Result<Response, ApiError> {
    let token = RefreshToken::parse(refresh.refresh_token.expose_secret()).ok_or_else(|| {
        ApiError::new(Code::InvalidInput, "refreshToken is not a refresh token.")
            .field("refreshToken", "must be rt_ and 64 hexadecimal digits")
    })?;
    let refreshed = commands::refresh(state.pool(), &state.tokens, &token).await;
    count("refresh", refreshed.is_ok());
    Ok(answer(StatusCode::OK, &refreshed?))
}

/// Notes a sign-in.
pub fn count(way: &str, is_good: bool) {
    let outcome = if is_good { "good" } else { "refused" };
    metrics().sign_ins.with_label_values(&[way, outcome]).inc();
}
