//! `/api/auth/sessions`, `/api/auth/logout` and `/api/auth/password`: the devices of an account.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use common::accounts::commands::NewPassword;
use common::accounts::{self, SessionSummary, commands};
use common::identity::REVOKED;
use common::ids::SessionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::device;
use super::fields::{NewPasswordText, PasswordText};
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path};
use crate::middleware::ClientAddress;
use crate::state::ApiState;

/// A device that is signed in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Session {
    #[serde(flatten)]
    session: SessionSummary,
    /// Whether it is the one that asks.
    current: bool,
}

/// The devices that are signed in, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionList {
    sessions: Vec<Session>,
}

/// A session that was ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokedSession {
    session_id: SessionId,
    /// Always true.
    revoked: bool,
}

/// Sessions that were ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedSessions {
    /// How many.
    revoked: u64,
}

/// The session has ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignOut {
    /// Always true.
    signed_out: bool,
}

/// The password was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedPassword {
    /// Always true.
    changed: bool,
}

/// Lists the live sessions, the newest first; `current` is the one that asks.
pub async fn list_sessions(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Answer<SessionList>, ApiError> {
    let sessions = accounts::list_sessions(state.pool(), caller.user).await?;
    let shown = |session: SessionSummary| Session {
        current: caller.session == Some(session.id),
        session,
    };
    Ok(Answer::ok(SessionList {
        sessions: sessions.into_iter().map(shown).collect(),
    }))
}

/// Ends one session.
pub async fn revoke_session(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Path(session): Path<SessionId>,
) -> Result<Answer<RevokedSession>, ApiError> {
    commands::revoke_session(state.pool(), caller.user, session).await?;
    state.outbox.announce(REVOKED, &session.to_string());
    Ok(Answer::ok(RevokedSession {
        session_id: session,
        revoked: true,
    }))
}

/// Ends all sessions but the one that asks.
pub async fn revoke_other_sessions(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Answer<RevokedSessions>, ApiError> {
    let revoked =
        commands::revoke_others(state.pool(), caller.user, caller.session, "revoked").await?;
    state.outbox.announce(REVOKED, &caller.user.to_string());
    Ok(Answer::ok(RevokedSessions { revoked }))
}

/// Ends the session that asks.
pub async fn sign_out(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Answer<SignOut>, ApiError> {
    let session = caller.session.ok_or_else(no_session)?;
    commands::sign_out(state.pool(), caller.user, session).await?;
    state.outbox.announce(REVOKED, &session.to_string());
    Ok(Answer::ok(SignOut { signed_out: true }))
}

/// The next password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    current_password: PasswordText,
    /// The password from now on.
    new_password: NewPasswordText,
}

/// Sets a new password, and signs out all other devices.
pub async fn change_password(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Json(change): Json<PasswordChange>,
) -> Result<Answer<ChangedPassword>, ApiError> {
    let change = NewPassword {
        user: caller.user,
        session: caller.session.ok_or_else(no_session)?,
        old: change.current_password.0,
        new: change.new_password.0,
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
    Ok(Answer::ok(ChangedPassword { changed: true }))
}

fn no_session() -> ApiError {
    ApiError::new(
        Code::Forbidden,
        "This needs an access token; an API key has no session.",
    )
}
