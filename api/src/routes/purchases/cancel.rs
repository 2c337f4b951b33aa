//! `DELETE /api/ai/purchases/{purchaseId}`: a purchase that is not paid comes to nothing.

use axum::Extension;
use axum::extract::State;
use common::purchases::commands::{self, Canceler};

use super::view::{self, Purchase};
use crate::contract::{Answer, Tried};
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, PurchasePath};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::state::ApiState;

/// Cancels the caller's purchase that waits for its payment, and answers it; cancelled again, the same.
pub async fn cancel_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(id): PurchasePath,
) -> Result<Tried<Purchase>, ApiError> {
    let by = Canceler::Buyer(principal.user);
    commands::cancel(&dry_run.outbox(&state), id, by, &request_id.0).await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let cancelled = view::finder(&state, Some(id), principal.user)().await?;
    Ok(Tried::Done(Answer::ok(cancelled.body())))
}
