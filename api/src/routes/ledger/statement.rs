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
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Lines of a page where the caller names no limit.
const LINES: i64 = 50;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementQuery {
    currency: String,
    /// `next` of the page before.
    cursor: Option<String>,
    limit: i64,
}

impl Default for StatementQuery {
    fn default() -> Self {
        Self {
            currency: DEFAULT_CURRENCY.to_owned(),
            cursor: None,
            limit: LINES,
        }
    }
}

/// What moved the caller's credits, with the balance after each.
pub async fn list_credits(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<StatementQuery>,
) -> Result<Response, ApiError> {
    page(&state, caller.user, AccountKind::BuyerCredits, &query).await
}

/// What moved the caller's earnings.
pub async fn list_earnings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<StatementQuery>,
) -> Result<Response, ApiError> {
    page(&state, caller.user, AccountKind::SellerEarnings, &query).await
}

async fn page(
    state: &ApiState,
    user: UserId,
    kind: AccountKind,
    query: &StatementQuery,
) -> Result<Response, ApiError> {
    let currency = currency(&query.currency)?;
    if !(1..=STATEMENT_ROWS_MAX).contains(&query.limit) {
        return Err(ApiError::new(Code::InvalidInput, "A page has a limit.")
            .field("limit", format!("must be 1 to {STATEMENT_ROWS_MAX}")));
    }
    let before = query.cursor.as_deref().map(cursor).transpose()?;
    let found =
        ledger::statement(state.pool(), user.0, kind, currency, before, query.limit).await?;
    let lines: Vec<Value> = found.lines.iter().map(view).collect();
    let data = json!({
        "currency": currency,
        "entries": lines,
        "next": found.next.map(|next| next.to_string()),
    });
    Ok(success(StatusCode::OK, data))
}

fn cursor(text: &str) -> Result<StatementCursor, ApiError> {
    text.parse().map_err(|()| {
        ApiError::new(Code::InvalidInput, "This cursor leads nowhere.")
            .field("cursor", "must be what another page said in next")
    })
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
