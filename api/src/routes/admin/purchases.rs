//! `/admin/purchases`: refund, cancel.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::audit::{self, ActId, Details};
use common::disputes::commands::refund_by_operator;
use common::ids::PurchaseId;
use common::limits::REASON_CHARS_MAX;
use common::purchases;
use common::purchases::commands::{Canceler, cancel};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::middleware::RequestId;
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// Why a purchase is refunded; its parties read it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    reason: String,
}

/// Refunds a purchase, whatever its age; that decides its dispute, if there is one.
pub async fn refund_purchase(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PurchaseId>,
    Json(new): Json<NewRefund>,
) -> Result<Response, ApiError> {
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
    Ok(success(
        StatusCode::OK,
        json!({ "purchaseId": id, "status": "refunded" }),
    ))
}

/// Cancels a purchase that waits for its payment.
pub async fn cancel_purchase(
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<PurchaseId>,
) -> Result<Response, ApiError> {
    cancel(&state.outbox, id, Canceler::Operator, &request_id.0).await?;
    tracing::warn!(purchase.id = %id, "An operator cancelled a purchase");
    Ok(success(
        StatusCode::OK,
        json!({ "purchaseId": id, "status": "failed" }),
    ))
}
