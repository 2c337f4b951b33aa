//! `/admin/payments`: what became of each card payment.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::PaymentId;
use common::limits::PAGE_ROWS_MAX;
use common::payments::{self, PaymentError, PaymentFilter, PaymentState};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Which payments.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentQuery {
    state: Option<PaymentState>,
    before: Option<PaymentId>,
    limit: Option<i64>,
}

/// Newest first; `next` goes into `before` for the following page.
pub async fn list_payments(
    State(state): State<ApiState>,
    Query(query): Query<PaymentQuery>,
) -> Result<Response, ApiError> {
    let filter = PaymentFilter {
        state: query.state,
        before: query.before,
        limit: query.limit.unwrap_or(50).clamp(1, PAGE_ROWS_MAX),
    };
    let found = payments::list(state.pool(), &filter).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == filter.limit);
    let next = found.last().filter(|_| is_full).map(|payment| payment.id);
    Ok(success(
        StatusCode::OK,
        json!({ "payments": found, "next": next }),
    ))
}

/// One payment. Its jobs and their history are `/admin/jobs?subject=` of it.
pub async fn get_payment(
    State(state): State<ApiState>,
    Path(id): Path<PaymentId>,
) -> Result<Response, ApiError> {
    let found = payments::summary(state.pool(), id).await?;
    Ok(success(
        StatusCode::OK,
        found.ok_or(PaymentError::NotFound)?,
    ))
}
