//! `GET /api/ai/me`: who calls, what the key may do and what is left of its budget, so that an agent can
//! plan; `PATCH` changes what buyers read of a seller.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::accounts::{self, AccountError, commands};
use common::identity::{self, KeySummary, Principal};
use common::ledger::{self, AccountKind};
use common::limits::ABOUT_CHARS_MAX;
use common::merge_patch::Patch;
use common::money::{DEFAULT_CURRENCY, decimal_number};
use common::purchases;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::{Caller, IfMatch, Json};
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// Answers the account, its credits, and what the key or session may do.
pub async fn get_me(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Response, ApiError> {
    answer(&state, &caller).await
}

/// What a seller says of itself; `null` takes it away.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileChange {
    about: Patch<String>,
}

/// Changes the profile, if the account is at a version that the caller has seen.
pub async fn change_me(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    if_match: Result<IfMatch, ApiError>,
    Json(change): Json<ProfileChange>,
) -> Result<Response, ApiError> {
    let IfMatch(if_match) = if_match?;
    let about = match change.about {
        Patch::Set(text) => free_text::optional("about", Some(&text), ABOUT_CHARS_MAX)?
            .map_or(Patch::Clear, Patch::Set),
        other => other,
    };
    let about = about.as_deref();
    commands::change_about(state.pool(), caller.user, if_match.as_deref(), about).await?;
    answer(&state, &caller).await
}

async fn answer(state: &ApiState, caller: &Principal) -> Result<Response, ApiError> {
    let pool = state.pool();
    let account = accounts::find_account(pool, caller.user).await?;
    let account = account.ok_or(AccountError::NotFound("account"))?;
    let credits = ledger::balance(
        pool,
        caller.user.0,
        AccountKind::BuyerCredits,
        DEFAULT_CURRENCY,
    )
    .await?;
    let mut data = json!(account);
    data["permissions"] = json!(caller.permissions);
    data["credits"] = json!({
        "currency": DEFAULT_CURRENCY,
        "available": decimal_number(credits.available_minor()),
        "availableMinor": credits.available_minor(),
        "heldMinor": credits.held_minor,
    });
    data["sessionId"] = json!(caller.session);
    data["key"] = match caller.session {
        Some(_) => Value::Null,
        None => match identity::find_key(pool, caller.user, caller.key).await? {
            Some(key) => shown(state, &key).await?,
            None => Value::Null,
        },
    };
    let mut response = success(StatusCode::OK, data);
    response
        .extensions_mut()
        .insert(Tagged::at(account.version));
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    Ok(response)
}

/// The key, with what its line has spent of its budget within 24 hours.
async fn shown(state: &ApiState, key: &KeySummary) -> Result<Value, ApiError> {
    let mut body = json!(key);
    if let Some(budget) = key.budget_day_minor {
        let spent = purchases::spent_by_line(state.pool(), key.line_id).await?;
        body["spentDayMinor"] = json!(spent);
        body["leftDayMinor"] = json!((budget - spent).max(0));
    }
    Ok(body)
}
