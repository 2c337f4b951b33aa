//! `GET /api/ai/payouts` and `GET /api/ai/payouts/{payoutId}`.

use axum::extract::State;
use common::ids::PayoutId;
use common::payouts::{self, PayoutError, PayoutFilter, PayoutState};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{Payout, PayoutPage};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query};
use crate::routes::page::{self, LongLimit, PageCursor};
use crate::state::ApiState;

/// Which of the caller's payouts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PayoutQuery {
    /// Only payouts in this state.
    status: Option<PayoutState>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// The caller's payouts, newest first.
pub async fn list_payouts(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<PayoutQuery>,
) -> Result<Answer<PayoutPage>, ApiError> {
    let filter = PayoutFilter {
        seller: Some(principal.user),
        state: query.status,
        before: page::cursor(query.cursor.as_ref(), PayoutId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = payouts::list(state.pool(), &filter).await?;
    Ok(Answer::ok(PayoutPage::new(&found, &filter)))
}

/// One of them.
pub async fn get_payout(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(payout_id): Path<String>,
) -> Result<Answer<Payout>, ApiError> {
    let id = PayoutId::parse(&payout_id).ok_or(PayoutError::NotFound)?;
    let payout = payouts::find(state.pool(), id, Some(principal.user)).await?;
    let payout = payout.ok_or(PayoutError::NotFound)?;
    Ok(Answer::ok(Payout::from(&payout)))
}
