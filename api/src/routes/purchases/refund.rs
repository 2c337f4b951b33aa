//! `POST /api/ai/purchases/{purchaseId}/refund`.

use axum::Extension;
use axum::extract::State;
use common::limits::REASON_CHARS_MAX;
use common::purchases::ReturnReason;
use common::purchases::commands::{self, NewReturn};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{self, Purchase};
use crate::contract::{Answer, Tried};
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, Json, PurchasePath};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::state::ApiState;

/// Why a buyer returns a package.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundRequest {
    reason_code: Option<ReturnReason>,
    /// The reason in words.
    #[schemars(length(max = REASON_CHARS_MAX))]
    reason: Option<String>,
}

/// Takes a purchase back within 7 days of its settlement; one that was downloaded for a reason, and not
/// again and again. Answers the refunded purchase, however often it is asked.
pub async fn refund_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(id): PurchasePath,
    new: Option<Json<RefundRequest>>,
) -> Result<Tried<Purchase>, ApiError> {
    let new = new.map(|Json(new)| new).unwrap_or_default();
    let reason = free_text::optional("reason", new.reason.as_deref(), REASON_CHARS_MAX)?;
    let new = NewReturn {
        buyer: principal.user,
        code: new.reason_code,
        reason: reason.as_deref(),
        trace: &request_id.0,
    };
    commands::refund(&dry_run.outbox(&state), id, &new).await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let refunded = view::finder(&state, Some(id), principal.user)().await?;
    Ok(Tried::Done(Answer::ok(refunded.body())))
}
