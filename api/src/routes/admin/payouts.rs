//! `/admin/payouts`: list, and say what became of them.

use axum::Extension;
use axum::extract::State;
use common::audit::{self, ActId, Details};
use common::ids::{PayoutId, UserId};
use common::limits::{PAYOUT_REFERENCE_CHARS_MAX, REASON_CHARS_MAX};
use common::payouts::commands::{End, finish};
use common::payouts::{self, PayoutFilter, PayoutState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::routes::page::{self, LongLimit, PageCursor};
use crate::routes::payouts::Payout;
use crate::state::ApiState;

/// Which payouts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PayoutQuery {
    /// Only payouts in this state.
    state: Option<PayoutState>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// How a payout was paid.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutPaymentRequest {
    /// The bank's reference.
    #[schemars(length(min = 1, max = PAYOUT_REFERENCE_CHARS_MAX))]
    reference: String,
}

/// Why a payout was returned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutReturnRequest {
    /// The reason, which its seller reads.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
}

/// A payout and its seller.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SellerPayout {
    #[serde(flatten)]
    payout: Payout,
    seller_id: UserId,
}

/// A page of payouts of all sellers, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SellerPayoutPage {
    payouts: Vec<SellerPayout>,
    next_cursor: page::NextCursor,
}

/// A page of every seller's, newest first.
pub async fn list_all_payouts(
    State(state): State<ApiState>,
    Query(query): Query<PayoutQuery>,
) -> Result<Answer<SellerPayoutPage>, ApiError> {
    let filter = PayoutFilter {
        seller: None,
        state: query.state,
        before: page::cursor(query.cursor.as_ref(), PayoutId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = payouts::list(state.pool(), &filter).await?;
    Ok(Answer::ok(SellerPayoutPage {
        payouts: found.iter().map(SellerPayout::from).collect(),
        next_cursor: page::next(&found, filter.limit, |payout| payout.id),
    }))
}

/// Notes that a payout left the house.
pub async fn pay_payout(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PayoutId>,
    Json(payment): Json<PayoutPaymentRequest>,
) -> Result<Answer<SellerPayout>, ApiError> {
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
    Json(new): Json<PayoutReturnRequest>,
) -> Result<Answer<SellerPayout>, ApiError> {
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
) -> Result<Answer<SellerPayout>, ApiError> {
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
    Ok(Answer::ok(SellerPayout::from(&payout)))
}

impl From<&payouts::Payout> for SellerPayout {
    fn from(payout: &payouts::Payout) -> Self {
        Self {
            payout: payout.into(),
            seller_id: payout.seller_id,
        }
    }
}
