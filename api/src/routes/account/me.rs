//! `GET /api/ai/me`: who calls, what the key may do and what is left of its budget, so that an agent can
//! plan; `PATCH` changes what buyers read of a seller.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use common::accounts::{self, Account, AccountError, commands};
use common::identity::{self, KeySummary, Permission, Principal};
use common::ids::SessionId;
use common::ledger::{self, AccountKind};
use common::limits::ABOUT_CHARS_MAX;
use common::merge_patch::Patch;
use common::money::DEFAULT_CURRENCY;
use common::purchases;
use common::wire::{Amount, Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Answer, Cacheable};
use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::{Caller, IfMatch, Json};
use crate::routes::free_text;
use crate::state::ApiState;

/// An account, what it can spend, and the key or session that asks.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Account")]
pub struct Me {
    #[serde(flatten)]
    account: Account,
    /// What this key or session allows.
    permissions: Vec<Permission>,
    credits: AccountCredits,
    /// The session that asks.
    session_id: Option<SessionId>,
    /// The key that asks.
    key: Option<SpendingKey>,
}

/// What an account can spend.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountCredits {
    currency: Currency,
    /// What can be spent.
    available: Amount,
    /// The same in minor units.
    available_minor: i64,
    /// What is held for purchases under way, in minor units.
    held_minor: i64,
}

/// A key, and what is left of its budget.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SpendingKey {
    #[serde(flatten)]
    key: KeySummary,
    #[serde(flatten)]
    spent: Option<SpentBudget>,
}

/// What a key spent of its budget.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SpentBudget {
    /// What the key and those that it replaced spent within 24 hours, in minor units.
    spent_day_minor: i64,
    /// What is left, in minor units.
    left_day_minor: i64,
}

/// Answers the account, its credits, and what the key or session may do.
pub async fn get_me(
    State(state): State<ApiState>,
    Caller(caller): Caller,
) -> Result<Cacheable<Me>, ApiError> {
    Ok(Cacheable(answer(&state, &caller).await?))
}

/// What a seller says of itself; `null` takes it away.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileChange {
    /// What buyers read.
    #[schemars(length(max = ABOUT_CHARS_MAX))]
    about: Patch<String>,
}

/// Changes the profile, if the account is at a version that the caller has seen.
pub async fn change_me(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    if_match: Result<IfMatch, ApiError>,
    Json(change): Json<ProfileChange>,
) -> Result<Answer<Me>, ApiError> {
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

async fn answer(state: &ApiState, caller: &Principal) -> Result<Answer<Me>, ApiError> {
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
    let key = match caller.session {
        Some(_) => None,
        None => identity::find_key(pool, caller.user, caller.key).await?,
    };
    let version = account.version;
    let me = Me {
        account,
        permissions: caller.permissions.clone(),
        credits: AccountCredits {
            currency: Currency(DEFAULT_CURRENCY.to_owned()),
            available: Amount(credits.available_minor()),
            available_minor: credits.available_minor(),
            held_minor: credits.held_minor,
        },
        session_id: caller.session,
        key: match key {
            Some(key) => Some(spending(state, key).await?),
            None => None,
        },
    };
    let no_store = HeaderValue::from_static("private, no-store");
    let answer = Answer::ok(me).tagged(Tagged::at(version));
    Ok(answer.header(header::CACHE_CONTROL, no_store))
}

/// The key, with what its line has spent of its budget within 24 hours.
async fn spending(state: &ApiState, key: KeySummary) -> Result<SpendingKey, ApiError> {
    let spent = match key.budget_day_minor {
        None => None,
        Some(budget) => {
            let spent = purchases::budget::spent_by_line(state.pool(), key.line_id).await?;
            Some(SpentBudget {
                spent_day_minor: spent,
                left_day_minor: (budget - spent).max(0),
            })
        }
    };
    Ok(SpendingKey { key, spent })
}
