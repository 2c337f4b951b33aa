//! `GET /api/ai/payouts` and `GET /api/ai/payouts/{payoutId}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::PayoutId;
use common::payouts::{self, PayoutError, PayoutFilter, PayoutState};
use serde::Deserialize;

use super::view::{body, shown};
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which of the caller's payouts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PayoutQuery {
    status: Option<PayoutState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// The caller's payouts, newest first.
pub async fn list_payouts(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<PayoutQuery>,
) -> Result<Response, ApiError> {
    let filter = PayoutFilter {
        seller: Some(principal.user),
        state: query.status,
        before: page::cursor(query.cursor.as_deref(), PayoutId::parse)?,
        limit: Pages::LONG.limit(query.limit)?,
    };
    let found = payouts::list(state.pool(), &filter).await?;
    Ok(success(StatusCode::OK, shown(&found, &filter, body)))
}

/// One of them.
pub async fn get_payout(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(payout_id): Path<String>,
) -> Result<Response, ApiError> {
    let id = PayoutId::parse(&payout_id).ok_or(PayoutError::NotFound)?;
    let payout = payouts::find(state.pool(), id, Some(principal.user)).await?;
    let payout = payout.ok_or(PayoutError::NotFound)?;
    Ok(success(StatusCode::OK, body(&payout)))
}
