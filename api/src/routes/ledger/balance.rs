//! `GET /api/ai/credits` and `GET /api/ai/earnings`: what there is, now or at a time.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use common::ids::UserId;
use common::ledger::{self, AccountKind, Balance};
use common::money::{DEFAULT_CURRENCY, decimal_number};
use serde::Deserialize;
use serde_json::json;

use super::currency;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Which balance.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct BalanceQuery {
    currency: String,
    as_of: Option<DateTime<Utc>>,
}

impl Default for BalanceQuery {
    fn default() -> Self {
        Self {
            currency: DEFAULT_CURRENCY.to_owned(),
            as_of: None,
        }
    }
}

/// The caller's credits: all of them, what is held for purchases under way, and what can be spent.
pub async fn get_credits(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<BalanceQuery>,
) -> Result<Response, ApiError> {
    let (balance, at) = look(&state, caller.user, AccountKind::BuyerCredits, &query).await?;
    let data = json!({
        "currency": query.currency,
        "balance": decimal_number(balance.posted_minor),
        "balanceMinor": balance.posted_minor,
        "held": decimal_number(balance.held_minor),
        "heldMinor": balance.held_minor,
        "available": decimal_number(balance.available_minor()),
        "availableMinor": balance.available_minor(),
        "asOf": at,
    });
    Ok(success(StatusCode::OK, data))
}

/// The caller's earnings; below zero after a refund of what was paid out.
pub async fn get_earnings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<BalanceQuery>,
) -> Result<Response, ApiError> {
    let (balance, at) = look(&state, caller.user, AccountKind::SellerEarnings, &query).await?;
    let data = json!({
        "currency": query.currency,
        "balance": decimal_number(balance.posted_minor),
        "balanceMinor": balance.posted_minor,
        "asOf": at,
    });
    Ok(success(StatusCode::OK, data))
}

async fn look(
    state: &ApiState,
    user: UserId,
    kind: AccountKind,
    query: &BalanceQuery,
) -> Result<(Balance, DateTime<Utc>), ApiError> {
    let currency = currency(&query.currency)?;
    let now = Utc::now();
    let Some(at) = query.as_of else {
        let balance = ledger::balance(state.pool(), user.0, kind, currency).await?;
        return Ok((balance, now));
    };
    if at > now {
        return Err(ApiError::new(
            Code::InvalidInput,
            "Nobody knows the balance of a time to come.",
        )
        .field("asOf", "must not lie in the future"));
    }
    let balance = ledger::balance_as_of(state.pool(), user.0, kind, currency, at).await?;
    Ok((balance, at))
}
