//! `/admin/payouts`: list, and say what became of them.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::audit::{self, ActId, Details};
use common::ids::PayoutId;
use common::limits::{PAYOUT_REFERENCE_CHARS_MAX, REASON_CHARS_MAX};
use common::payouts::commands::{End, finish};
use common::payouts::{self, Payout, PayoutFilter, PayoutState};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::middleware::RequestId;
use crate::routes::page::{self, Pages};
use crate::routes::payouts::{body, shown};
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// Which payouts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PayoutQuery {
    state: Option<PayoutState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// What the bank calls it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    reference: String,
}

/// Why it could not be paid; its seller reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Return {
    reason: String,
}

/// A page of every seller's, newest first.
pub async fn list_payouts(
    State(state): State<ApiState>,
    Query(query): Query<PayoutQuery>,
) -> Result<Response, ApiError> {
    let filter = PayoutFilter {
        seller: None,
        state: query.state,
        before: page::cursor(query.cursor.as_deref(), PayoutId::parse)?,
        limit: Pages::LONG.limit(query.limit)?,
    };
    let found = payouts::list(state.pool(), &filter).await?;
    let shown = shown(&found, &filter, with_seller);
    Ok(success(StatusCode::OK, shown))
}

/// Notes that a payout left the house.
pub async fn pay_payout(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PayoutId>,
    Json(payment): Json<Payment>,
) -> Result<Response, ApiError> {
    let max = PAYOUT_REFERENCE_CHARS_MAX;
    let end = End::Paid {
        reference: free_text::required("reference", &payment.reference, max)?,
    };
    end_payout(&state, act, id, &end, &request_id).await
}

/// Gives a payout that could not be paid back to its seller's earnings.
pub async fn return_payout(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PayoutId>,
    Json(new): Json<Return>,
) -> Result<Response, ApiError> {
    let end = End::Returned {
        reason: free_text::required("reason", &new.reason, REASON_CHARS_MAX)?,
    };
    end_payout(&state, act, id, &end, &request_id).await
}

async fn end_payout(
    state: &ApiState,
    act: ActId,
    id: PayoutId,
    end: &End,
    request_id: &RequestId,
) -> Result<Response, ApiError> {
    let said = match end {
        End::Paid { reference } => reference,
        End::Returned { reason } => reason,
    };
    let details = Details {
        reason: Some(said),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &details).await?;
    let payout = finish(&state.outbox, id, end, &request_id.0).await?;
    let moved = Details {
        amount: Some((payout.amount_minor, &payout.currency)),
        recipient: Some(payout.seller_id),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &moved).await?;
    tracing::warn!(payout.id = %id, payout.state = %payout.state, "An operator ended a payout");
    Ok(success(StatusCode::OK, with_seller(&payout)))
}

fn with_seller(payout: &Payout) -> Value {
    let mut body = body(payout);
    body["sellerId"] = json!(payout.seller_id);
    body
}
