//! `GET /api/ai/purchases/{purchaseId}/receipt`: proof of a sale that is checked without us.

use axum::extract::State;
use common::purchases;
use common::signatures::Receipt;
use schemars::JsonSchema;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::contract::{Answer, PurchaseReference};
use crate::error::ApiError;
use crate::extract::{Caller, PurchasePath};
use crate::state::ApiState;

/// The signed receipt of a sale, and its claims in clear.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(transform = PurchaseReference::stand_in)]
pub struct SignedReceipt {
    /// The signed statement (JWS).
    receipt: String,
    #[serde(flatten)]
    #[schemars(skip)]
    purchase: PurchaseReference,
    #[serde(flatten, serialize_with = "beside_the_purchase")]
    #[schemars(with = "Receipt")]
    claims: Receipt,
}

/// The claims without the purchase, which each version of the API calls otherwise.
fn beside_the_purchase<S: Serializer>(claims: &Receipt, serializer: S) -> Result<S::Ok, S::Error> {
    let mut claims = serde_json::to_value(claims).map_err(S::Error::custom)?;
    if let Some(claims) = claims.as_object_mut() {
        claims.shift_remove("purchaseId");
    }
    claims.serialize(serializer)
}

/// Answers the receipt to the buyer and the seller of a settled purchase; the same bytes each time,
/// until the purchase is refunded or the signing key changes.
pub async fn get_receipt(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PurchasePath(id): PurchasePath,
) -> Result<Answer<SignedReceipt>, ApiError> {
    let claims =
        purchases::find_receipt(state.pool(), id, principal.user, &state.public_base_url).await?;
    let receipt = state.signer.sign(Receipt::TYP, &claims);
    Ok(Answer::ok(SignedReceipt {
        receipt,
        purchase: id.into(),
        claims,
    }))
}
