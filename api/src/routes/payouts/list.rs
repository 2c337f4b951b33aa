//! `GET /api/ai/payouts` and `GET /api/ai/payouts/{payoutId}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::PayoutId;
use common::payouts::{self, PayoutError, PayoutFilter, PayoutState};
use serde::Deserialize;

use super::view::{body, page};
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Which of the caller's payouts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PayoutQuery {
    status: Option<PayoutState>,
    before: Option<PayoutId>,
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
        before: query.before,
        limit: query.limit.unwrap_or(50),
    };
    let found = payouts::list(state.pool(), &filter).await?;
    Ok(success(StatusCode::OK, page(&found, &filter, body)))
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
