//! `POST /api/ai/purchases/{purchaseId}/disputes`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::disputes::commands::{self, NewDispute};
use common::disputes::{DisputeError, DisputeReason, find_view};
use common::limits::DISPUTE_DESCRIPTION_CHARS_MAX;
use serde::Deserialize;

use super::view::{Shown, status_url};
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, Json, PurchasePath};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// What the buyer claims.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    reason: DisputeReason,
    description: String,
}

/// Opens a dispute about a purchase of the caller, within 30 days of its settlement and once.
pub async fn open_dispute(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(purchase): PurchasePath,
    Json(claim): Json<Claim>,
) -> Result<Response, ApiError> {
    let max = DISPUTE_DESCRIPTION_CHARS_MAX;
    let new = NewDispute {
        purchase,
        buyer: principal.user,
        reason: claim.reason,
        description: free_text::required("description", &claim.description, max)?,
        request_id: request_id.0,
    };
    let id = commands::open(&dry_run.outbox(&state), &new).await?;
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    let dispute = find_view(state.pool(), id, Some(principal.user)).await?;
    let shown = Shown(dispute.ok_or(DisputeError::NotFound)?);
    let mut response = success(StatusCode::CREATED, shown.body());
    response.headers_mut().insert(
        header::LOCATION,
        HeaderValue::from_str(&status_url(id)).expect("plain text"),
    );
    Ok(response)
}
