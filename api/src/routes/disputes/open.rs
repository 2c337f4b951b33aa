//! `POST /api/ai/purchases/{purchaseId}/disputes`.

use axum::Extension;
use axum::extract::State;
use common::disputes::commands::{self, NewDispute};
use common::disputes::{DisputeError, DisputeReason, find_view};
use common::limits::DISPUTE_DESCRIPTION_CHARS_MAX;
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{Dispute, Followable, status_url};
use crate::contract::{Answer, Tried};
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, Json, PurchasePath};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::state::ApiState;

/// What a buyer claims.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeRequest {
    reason: DisputeReason,
    /// What is wrong, in words.
    #[schemars(length(min = 1, max = DISPUTE_DESCRIPTION_CHARS_MAX))]
    description: String,
}

/// Opens a dispute about a purchase of the caller, within 30 days of its settlement and once.
pub async fn open_dispute(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(purchase): PurchasePath,
    Json(claim): Json<DisputeRequest>,
) -> Result<Tried<Dispute>, ApiError> {
    let max = DISPUTE_DESCRIPTION_CHARS_MAX;
    let new = NewDispute {
        purchase,
        buyer: principal.user,
        reason: claim.reason,
        description: free_text::required("description", &claim.description, max)?,
        request_id: request_id.0,
    };
    let id = commands::open(&dry_run.outbox(&state), &new).await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let dispute = find_view(state.pool(), id, Some(principal.user)).await?;
    let dispute = Followable(dispute.ok_or(DisputeError::NotFound)?).body();
    Ok(Tried::Done(Answer::created(dispute, &status_url(id))))
}
