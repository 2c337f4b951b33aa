//! `/admin/purchases`: refund, cancel.

use axum::Extension;
use axum::extract::State;
use common::audit::{self, ActId, Details};
use common::disputes::commands::refund_by_operator;
use common::ids::PurchaseId;
use common::limits::REASON_CHARS_MAX;
use common::purchases::commands::{Canceler, cancel};
use common::purchases::{self, PurchaseState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Answer, PurchaseReference};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::state::ApiState;

/// Why an operator refunds a purchase.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorRefundRequest {
    /// The reason, which buyer and seller read.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    reason: String,
}

/// A purchase that an operator ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndedPurchase {
    #[serde(flatten)]
    purchase: PurchaseReference,
    status: PurchaseState,
}

/// Refunds a purchase, whatever its age; that decides its dispute, if there is one.
pub async fn refund_any_purchase(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PurchaseId>,
    Json(new): Json<OperatorRefundRequest>,
) -> Result<Answer<EndedPurchase>, ApiError> {
    let reason = free_text::required("reason", &new.reason, REASON_CHARS_MAX)?;
    let said = Details {
        reason: Some(&reason),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &said).await?;
    refund_by_operator(&state.outbox, id, &reason, &request_id.0).await?;
    if let Some(purchase) = purchases::find(state.pool(), id).await? {
        let moved = Details {
            amount: Some((purchase.price_minor, &purchase.currency)),
            recipient: Some(purchase.buyer_id),
            ..Details::default()
        };
        audit::describe(state.pool(), act, &moved).await?;
    }
    tracing::warn!(purchase.id = %id, "An operator refunded a purchase");
    Ok(Answer::ok(EndedPurchase {
        purchase: id.into(),
        status: PurchaseState::Refunded,
    }))
}

/// Cancels a purchase that waits for its payment.
pub async fn cancel_any_purchase(
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PurchaseId>,
) -> Result<Answer<EndedPurchase>, ApiError> {
    cancel(&state.outbox, id, Canceler::Operator, &request_id.0).await?;
    tracing::warn!(purchase.id = %id, "An operator cancelled a purchase");
    Ok(Answer::ok(EndedPurchase {
        purchase: id.into(),
        status: PurchaseState::Failed,
    }))
}
