//! `GET /api/ai/purchases/{purchaseId}/receipt`: proof of a sale that is checked without us.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::purchases;
use common::signatures::Receipt;
use serde::Serialize;

use crate::error::ApiError;
use crate::extract::{Caller, PurchasePath};
use crate::routes::success;
use crate::state::ApiState;

/// The signed receipt, and its claims in clear.
#[derive(Debug, Serialize)]
struct Signed {
    receipt: String,
    #[serde(flatten)]
    claims: Receipt,
}

/// Answers the receipt to the buyer and the seller of a settled purchase; the same bytes each time,
/// until the purchase is refunded or the signing key changes.
pub async fn get_receipt(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PurchasePath(id): PurchasePath,
) -> Result<Response, ApiError> {
    let claims =
        purchases::find_receipt(state.pool(), id, principal.user, &state.public_base_url).await?;
    let receipt = state.signer.sign(Receipt::TYP, &claims);
    Ok(success(StatusCode::OK, Signed { receipt, claims }))
}
