//! `POST /api/auth/login` and `/api/auth/refresh`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use common::accounts::commands::{self, Origin};
use common::accounts::{Credentials, DeviceToken, Login, RefreshToken, Tokens};
use common::secrecy::{ExposeSecret as _, SecretString};
use common::telemetry::metrics;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::fields::{PasswordText, RefreshTokenText};
use super::{answer, device};
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::Json;
use crate::middleware::{ClientAddress, RequestId};
use crate::state::ApiState;

/// Who wants to sign in: an address or a name, and its password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({ "email": "grace@example.com", "password": "correct horse battery staple" }))]
pub struct SignIn {
    /// The address of the account.
    email: Option<String>,
    /// Or its name.
    username: Option<String>,
    /// The password of the account.
    password: PasswordText,
    /// As an earlier sign-in gave it, for clients that keep no cookies.
    #[schemars(with = "Option<String>")]
    device_token: Option<SecretString>,
}

impl SignIn {
    fn login(&self) -> Result<Login, ApiError> {
        match (&self.email, &self.username) {
            (Some(email), None) => Ok(Login::email(email)),
            (None, Some(username)) => Ok(Login::username(username)),
            _ => Err(ApiError::new(
                Code::InvalidInput,
                "Send either email or username, and password.",
            )
            .field("email", "is required without username")
            .field("username", "is required without email")),
        }
    }

    fn device_token(&self) -> Result<Option<DeviceToken>, ApiError> {
        let Some(text) = &self.device_token else {
            return Ok(None);
        };
        let token = DeviceToken::parse(text.expose_secret());
        token.map(Some).ok_or_else(|| {
            ApiError::new(Code::InvalidInput, "deviceToken is not a device token.")
                .field("deviceToken", "must be dt_ and 64 hexadecimal digits")
        })
    }
}

/// Signs in with a password.
pub async fn sign_in(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Json(asked): Json<SignIn>,
) -> Result<Answer<Tokens>, ApiError> {
    let mut device = device(&state, &headers, address);
    device.token = asked.device_token()?.or(device.token);
    let credentials = Credentials {
        login: asked.login()?,
        password: asked.password.0,
    };
    let signed_in = commands::sign_in(
        state.pool(),
        &state.passwords,
        &state.guesses,
        &state.tokens,
        &credentials,
        &device,
    )
    .await;
    count("password", signed_in.is_ok());
    Ok(answer(&state, StatusCode::OK, signed_in?))
}

/// The next pair of tokens is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "TokenRefresh")]
pub struct Refresh {
    /// As it was given.
    refresh_token: RefreshTokenText,
}

/// Gives the next pair of tokens, and the same again to a repetition within seconds.
pub async fn refresh_tokens(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Json(refresh): Json<Refresh>,
) -> Result<Answer<Tokens>, ApiError> {
    let token = RefreshToken::parse(refresh.refresh_token.0.expose_secret()).ok_or_else(|| {
        ApiError::new(Code::InvalidInput, "refreshToken is not a refresh token.")
            .field("refreshToken", "must be rt_ and 64 hexadecimal digits")
    })?;
    let origin = Origin {
        address: &address.0.to_string(),
        request_id: &request_id,
    };
    let refreshed =
        commands::refresh(&state.outbox, &state.sealer, &state.tokens, &token, origin).await;
    count("refresh", refreshed.is_ok());
    Ok(answer(&state, StatusCode::OK, refreshed?))
}

/// Notes a sign-in.
pub fn count(way: &str, is_good: bool) {
    let outcome = if is_good { "good" } else { "refused" };
    metrics().sign_ins.with_label_values(&[way, outcome]).inc();
}
