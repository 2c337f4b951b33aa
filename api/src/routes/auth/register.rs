//! `POST /api/auth/register`: an account for a person, signed in at once.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use common::accounts::commands::{self, NewPerson};
use common::secrecy::SecretString;
use serde::Deserialize;

use super::{answer, device};
use crate::error::ApiError;
use crate::extract::Json;
use crate::middleware::ClientAddress;
use crate::state::ApiState;

/// A person to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    email: String,
    username: String,
    password: SecretString,
}

/// Makes the account and answers the tokens of its first session.
pub async fn register_person(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Json(new): Json<Registration>,
) -> Result<Response, ApiError> {
    let new = NewPerson {
        email: new.email,
        username: new.username,
        password: new.password,
    };
    let tokens = commands::register_person(
        state.pool(),
        &state.sealer,
        &state.passwords,
        &state.tokens,
        &new,
        &device(&state, &headers, address),
    )
    .await?;
    Ok(answer(&state, StatusCode::CREATED, &tokens))
}
