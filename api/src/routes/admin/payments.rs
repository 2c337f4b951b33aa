//! `/admin/payments`: what became of each card payment.

use axum::extract::State;
use common::ids::PaymentId;
use common::payments::{self, PaymentError, PaymentFilter, PaymentState, PaymentSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which payments.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentQuery {
    /// Only payments in this state.
    state: Option<PaymentState>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of payments, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentPage {
    payments: Vec<PaymentSummary>,
    next_cursor: NextCursor,
}

/// A page, newest first.
pub async fn list_payments(
    State(state): State<ApiState>,
    Query(query): Query<PaymentQuery>,
) -> Result<Answer<PaymentPage>, ApiError> {
    let filter = PaymentFilter {
        state: query.state,
        before: page::cursor(query.cursor.as_ref(), PaymentId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = payments::list(state.pool(), &filter).await?;
    Ok(Answer::ok(PaymentPage {
        next_cursor: page::next(&found, filter.limit, |payment| payment.id),
        payments: found,
    }))
}

/// One payment. Its jobs and their history are `/admin/jobs?subject=` of it.
pub async fn get_payment(
    State(state): State<ApiState>,
    Path(id): Path<PaymentId>,
) -> Result<Answer<PaymentSummary>, ApiError> {
    let found = payments::summary(state.pool(), id).await?;
    Ok(Answer::ok(found.ok_or(PaymentError::NotFound)?))
}
