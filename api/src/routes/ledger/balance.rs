//! `GET /api/ai/credits` and `GET /api/ai/earnings`: what there is, now or at a time.

use axum::extract::State;
use chrono::{DateTime, Utc};
use common::ids::UserId;
use common::ledger::{self, AccountKind, Balance};
use common::money::DEFAULT_CURRENCY;
use common::purchases::{self, find_earnings};
use common::wire::{Amount, Currency, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::currency;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query, moment};
use crate::state::ApiState;

/// Which balance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct BalanceQuery {
    #[schemars(with = "Currency")]
    currency: String,
    /// The balance as it was at this time.
    #[serde(deserialize_with = "moment::optional")]
    as_of: Option<DateTime<Utc>>,
}

/// What a buyer can spend.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credits {
    currency: Currency,
    /// All credits.
    balance: Amount,
    /// All credits, in minor units.
    balance_minor: i64,
    /// What is held for purchases that are not settled yet.
    held: Amount,
    /// What is held, in minor units.
    held_minor: i64,
    /// What can be spent.
    available: Amount,
    /// What can be spent, in minor units.
    available_minor: i64,
    /// When this was the balance.
    as_of: DateTime<Utc>,
}

/// What a seller has earned.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Earnings {
    currency: Currency,
    /// All earnings that were not paid out.
    balance: Amount,
    /// All earnings, in minor units.
    balance_minor: i64,
    /// The share of sales that can still be refunded or disputed. Unknown of a time in the past.
    pending: Option<Amount>,
    /// That share, in minor units.
    pending_minor: Option<i64>,
    /// What can be paid out now. Unknown of a time in the past.
    available: Option<Amount>,
    /// What can be paid out, in minor units.
    available_minor: Option<i64>,
    /// When the next share becomes available.
    next_available_at: Option<Timestamp>,
    /// How much that is, in minor units.
    next_available_minor: Option<i64>,
    /// When this was the balance.
    as_of: DateTime<Utc>,
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
) -> Result<Answer<Credits>, ApiError> {
    let (balance, at) = look(&state, caller.user, AccountKind::BuyerCredits, &query).await?;
    Ok(Answer::ok(Credits {
        currency: Currency(query.currency),
        balance: Amount(balance.posted_minor),
        balance_minor: balance.posted_minor,
        held: Amount(balance.held_minor),
        held_minor: balance.held_minor,
        available: Amount(balance.available_minor()),
        available_minor: balance.available_minor(),
        as_of: at,
    }))
}

/// The caller's earnings: all of them, what may still be refunded or disputed, what can be drawn, and when
/// the next share can.
pub async fn get_earnings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<BalanceQuery>,
) -> Result<Answer<Earnings>, ApiError> {
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
    let available_minor = earnings.map(purchases::Earnings::available_minor);
    Ok(Answer::ok(Earnings {
        currency: Currency(query.currency),
        balance: Amount(posted_minor),
        balance_minor: posted_minor,
        pending: pending_minor.map(Amount),
        pending_minor,
        available: available_minor.map(Amount),
        available_minor,
        next_available_at: next.map(|next| next.at.into()),
        next_available_minor: next.map(|next| next.amount_minor),
        as_of: at,
    }))
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
