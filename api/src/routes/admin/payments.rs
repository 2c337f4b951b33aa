//! `/admin/payments`: what became of each card payment.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::PaymentId;
use common::payments::{self, PaymentError, PaymentFilter, PaymentState};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which payments.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentQuery {
    state: Option<PaymentState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// A page, newest first.
pub async fn list_payments(
    State(state): State<ApiState>,
    Query(query): Query<PaymentQuery>,
) -> Result<Response, ApiError> {
    let filter = PaymentFilter {
        state: query.state,
        before: page::cursor(query.cursor.as_deref(), PaymentId::parse)?,
        limit: Pages::LONG.limit(query.limit)?,
    };
    let found = payments::list(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |payment| payment.id);
    Ok(success(
        StatusCode::OK,
        json!({ "payments": found, "nextCursor": next }),
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
