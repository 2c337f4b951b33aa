//! `POST /api/ai/purchases/{purchaseId}/renew`: seven more days to download.

use axum::Extension;
use axum::extract::State;
use common::purchases::commands;

use super::view::{self, Purchase};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, PurchasePath};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::state::ApiState;

/// Renews the grant of the caller's settled purchase, and answers the purchase.
pub async fn renew_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(id): PurchasePath,
) -> Result<Answer<Purchase>, ApiError> {
    commands::renew(&state.outbox, id, principal.user, &request_id.0).await?;
    let shown = view::finder(&state, Some(id), principal.user)().await?;
    Ok(Answer::ok(shown.body()))
}
