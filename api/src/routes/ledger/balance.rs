//! `GET /api/ai/credits` and `GET /api/ai/earnings`: what there is, now or at a time.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use common::ids::UserId;
use common::ledger::{self, AccountKind, Balance};
use common::money::{DEFAULT_CURRENCY, decimal_number};
use common::purchases::{Earnings, find_earnings};
use serde::Deserialize;
use serde_json::json;

use super::currency;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query, moment};
use crate::routes::success;
use crate::state::ApiState;

/// Which balance.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct BalanceQuery {
    currency: String,
    #[serde(deserialize_with = "moment::optional")]
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

/// The caller's earnings: all of them, what may still be refunded or disputed, what can be drawn, and when
/// the next share can.
pub async fn get_earnings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<BalanceQuery>,
) -> Result<Response, ApiError> {
    let (balance, at) = look(&state, caller.user, AccountKind::SellerEarnings, &query).await?;
    let (earnings, next) = match query.as_of {
        Some(_) => (None, None),
        None => {
            let (earnings, next) =
                find_earnings(state.pool(), caller.user, &query.currency).await?;
            (Some(earnings), next)
        }
    };
    let posted_minor = earnings.map_or(balance.posted_minor, |it| it.posted_minor);
    let pending_minor = earnings.map(|it| it.maturing_minor);
    let available_minor = earnings.map(Earnings::available_minor);
    let data = json!({
        "currency": query.currency,
        "balance": decimal_number(posted_minor),
        "balanceMinor": posted_minor,
        "pending": pending_minor.map(decimal_number),
        "pendingMinor": pending_minor,
        "available": available_minor.map(decimal_number),
        "availableMinor": available_minor,
        "nextAvailableAt": next.map(|next| time(next.at)),
        "nextAvailableMinor": next.map(|next| next.amount_minor),
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

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
