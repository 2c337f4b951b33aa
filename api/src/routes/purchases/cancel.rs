//! `DELETE /api/ai/purchases/{purchaseId}`: a purchase that is not paid comes to nothing.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::purchases::commands::{self, Canceler};

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, PurchasePath};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::routes::success;
use crate::state::ApiState;

/// Cancels the caller's purchase that waits for its payment, and answers it; cancelled again, the same.
pub async fn cancel_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(id): PurchasePath,
) -> Result<Response, ApiError> {
    let by = Canceler::Buyer(principal.user);
    commands::cancel(&dry_run.outbox(&state), id, by, &request_id.0).await?;
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    let cancelled = view::finder(&state, Some(id), principal.user)().await?;
    Ok(success(StatusCode::OK, cancelled.body()))
}
