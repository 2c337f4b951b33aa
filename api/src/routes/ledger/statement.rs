//! `GET /api/ai/credits/statement` and `GET /api/ai/earnings/statement`: what moved, newest first.

use axum::extract::State;
use chrono::{DateTime, Utc};
use common::ids::UserId;
use common::ledger::{self, AccountKind, StatementCursor, StatementLine, TransferKind};
use common::limits::STATEMENT_ROWS_MAX;
use common::money::DEFAULT_CURRENCY;
use common::wire::{Amount, Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::currency;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, Limit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StatementQuery {
    #[schemars(with = "Currency")]
    currency: String,
    cursor: Option<PageCursor>,
    limit: Option<Limit<50, STATEMENT_ROWS_MAX>>,
}

/// What changed a balance, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    currency: Currency,
    entries: Vec<StatementEntry>,
    next_cursor: NextCursor,
}

/// One change of a balance.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatementEntry {
    #[schemars(with = "TransferKind")]
    kind: String,
    /// The purchase, payment, payout, dispute or adjustment, as a UUID.
    subject: Uuid,
    /// The change: less than zero if the balance fell.
    amount: Amount,
    /// The change, in minor units.
    amount_minor: i64,
    /// The balance after it; null for earnings, whose changes are added up later.
    balance_after: Option<Amount>,
    /// The balance after it, in minor units.
    balance_after_minor: Option<i64>,
    /// When it happened.
    at: DateTime<Utc>,
}

impl Default for StatementQuery {
    fn default() -> Self {
        Self {
            currency: DEFAULT_CURRENCY.to_owned(),
            cursor: None,
            limit: None,
        }
    }
}

/// What moved the caller's credits, with the balance after each.
pub async fn list_credits(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<StatementQuery>,
) -> Result<Answer<Statement>, ApiError> {
    list(&state, caller.user, AccountKind::BuyerCredits, &query).await
}

/// What moved the caller's earnings.
pub async fn list_earnings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<StatementQuery>,
) -> Result<Answer<Statement>, ApiError> {
    list(&state, caller.user, AccountKind::SellerEarnings, &query).await
}

async fn list(
    state: &ApiState,
    user: UserId,
    kind: AccountKind,
    query: &StatementQuery,
) -> Result<Answer<Statement>, ApiError> {
    let currency = currency(&query.currency)?;
    let limit = page::rows(query.limit)?;
    let before = page::cursor(query.cursor.as_ref(), page::row::<StatementCursor>)?;
    let found = ledger::statement(state.pool(), user.0, kind, currency, before, limit).await?;
    Ok(Answer::ok(Statement {
        currency: Currency(currency.to_owned()),
        entries: found.lines.into_iter().map(StatementEntry::from).collect(),
        next_cursor: NextCursor::new(found.next),
    }))
}

impl From<StatementLine> for StatementEntry {
    fn from(line: StatementLine) -> Self {
        Self {
            kind: line.kind,
            subject: line.subject,
            amount: Amount(line.amount_minor),
            amount_minor: line.amount_minor,
            balance_after: line.balance_after_minor.map(Amount),
            balance_after_minor: line.balance_after_minor,
            at: line.at,
        }
    }
}
