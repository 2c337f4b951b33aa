//! `POST /api/auth/register`: an account for a person, signed in at once.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use common::accounts::Tokens;
use common::accounts::commands::{self, NewPerson};
use schemars::JsonSchema;
use serde::Deserialize;

use super::fields::NewPasswordText;
use super::{answer, device};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::Json;
use crate::middleware::ClientAddress;
use crate::state::ApiState;

/// A new account of a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PersonRegistration")]
pub struct Registration {
    /// It is not verified, so it reserves nothing: others may claim it too.
    #[schemars(email, length(min = 3, max = 254))]
    email: String,
    /// The name that others see: letters, digits, `-`, `_` and `.`.
    #[schemars(
        regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{2,38}$"),
        example = "grace.hopper"
    )]
    username: String,
    /// It must not be the name or the address.
    password: NewPasswordText,
}

/// Makes the account and answers the tokens of its first session.
pub async fn register_person(
    State(state): State<ApiState>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Json(new): Json<Registration>,
) -> Result<Answer<Tokens>, ApiError> {
    let new = NewPerson {
        email: new.email,
        username: new.username,
        password: new.password.0,
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
    Ok(answer(&state, StatusCode::CREATED, tokens))
}
