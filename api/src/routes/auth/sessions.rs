//! `/api/auth/sessions`, `/api/auth/logout` and `/api/auth/password`: the devices of an account.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use common::accounts::commands::NewPassword;
use common::accounts::{self, commands};
use common::identity::REVOKED;
use common::ids::SessionId;
use common::secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::device;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path};
use crate::middleware::ClientAddress;
use crate::routes::success;
use crate::state::ApiState;

/// Lists the live sessions, the newest first; `current` is the one that asks.
pub async fn list_sessions(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Response, ApiError> {
    let sessions = accounts::list_sessions(state.pool(), caller.user).await?;
    let shown: Vec<Value> = sessions
        .iter()
        .map(|session| {
            let mut body = json!(session);
            body["current"] = json!(caller.session == Some(session.id));
            body
        })
        .collect();
    Ok(success(StatusCode::OK, json!({ "sessions": shown })))
}

/// Ends one session.
pub async fn revoke_session(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(session): Path<SessionId>,
) -> Result<Response, ApiError> {
    commands::revoke_session(state.pool(), caller.user, session).await?;
    state.outbox.announce(REVOKED, &session.to_string());
    Ok(success(
        StatusCode::OK,
        json!({ "sessionId": session, "revoked": true }),
    ))
}

/// Ends all sessions but the one that asks.
pub async fn revoke_other_sessions(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Response, ApiError> {
    let revoked =
        commands::revoke_others(state.pool(), caller.user, caller.session, "revoked").await?;
    state.outbox.announce(REVOKED, &caller.user.to_string());
    Ok(success(StatusCode::OK, json!({ "revoked": revoked })))
}

/// Ends the session that asks.
pub async fn sign_out(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Response, ApiError> {
    let session = caller.session.ok_or_else(no_session)?;
    commands::sign_out(state.pool(), caller.user, session).await?;
    state.outbox.announce(REVOKED, &session.to_string());
    Ok(success(StatusCode::OK, json!({ "signedOut": true })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    current_password: SecretString,
    new_password: SecretString,
}

/// Sets a new password, and signs out all other devices.
pub async fn change_password(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Json(change): Json<PasswordChange>,
) -> Result<Response, ApiError> {
    let change = NewPassword {
        user: caller.user,
        session: caller.session.ok_or_else(no_session)?,
        old: change.current_password,
        new: change.new_password,
    };
    let device = device(&state, &headers, address);
    commands::change_password(
        state.pool(),
        &state.passwords,
        &state.guesses,
        &change,
        &device,
    )
    .await?;
    state.outbox.announce(REVOKED, &caller.user.to_string());
    Ok(success(StatusCode::OK, json!({ "changed": true })))
}

fn no_session() -> ApiError {
    ApiError::new(
        Code::Forbidden,
        "This needs an access token; an API key has no session.",
    )
}
