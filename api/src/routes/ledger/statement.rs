//! `GET /api/ai/credits/statement` and `GET /api/ai/earnings/statement`: what moved, newest first.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::UserId;
use common::ledger::{self, AccountKind, StatementCursor, StatementLine};
use common::limits::STATEMENT_ROWS_MAX;
use common::money::{DEFAULT_CURRENCY, decimal_number};
use serde::Deserialize;
use serde_json::{Value, json};

use super::currency;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

const LINES: Pages = Pages {
    rows: 50,
    rows_max: STATEMENT_ROWS_MAX,
};

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementQuery {
    currency: String,
    cursor: Option<String>,
    limit: Option<i64>,
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
) -> Result<Response, ApiError> {
    list(&state, caller.user, AccountKind::BuyerCredits, &query).await
}

/// What moved the caller's earnings.
pub async fn list_earnings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<StatementQuery>,
) -> Result<Response, ApiError> {
    list(&state, caller.user, AccountKind::SellerEarnings, &query).await
}

async fn list(
    state: &ApiState,
    user: UserId,
    kind: AccountKind,
    query: &StatementQuery,
) -> Result<Response, ApiError> {
    let currency = currency(&query.currency)?;
    let limit = LINES.limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), page::row::<StatementCursor>)?;
    let found = ledger::statement(state.pool(), user.0, kind, currency, before, limit).await?;
    let lines: Vec<Value> = found.lines.iter().map(view).collect();
    let data = json!({
        "currency": currency,
        "entries": lines,
        "nextCursor": found.next.map(|next| next.to_string()),
    });
    Ok(success(StatusCode::OK, data))
}

fn view(line: &StatementLine) -> Value {
    json!({
        "kind": line.kind,
        "subject": line.subject,
        "amount": decimal_number(line.amount_minor),
        "amountMinor": line.amount_minor,
        "balanceAfter": line.balance_after_minor.map(decimal_number),
        "balanceAfterMinor": line.balance_after_minor,
        "at": line.at,
    })
}
