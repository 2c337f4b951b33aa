//! `POST /api/ai/purchases/{purchaseId}/pay`: an unpaid purchase is paid by other means.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use common::limits::PURCHASE_WAIT_SECONDS;
use common::purchases::commands::{self, PayRequest};
use common::purchases::{self, PaymentMethod};
use serde::Deserialize;

use super::create::{answer, check_card_of};
use super::view;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, Json, PreferWait, PurchasePath};
use crate::follow::Follower;
use crate::middleware::RequestId;
use crate::places;
use crate::state::ApiState;

/// How it is to be paid now.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPayment {
    payment_method: PaymentMethod,
    /// The card as its provider calls it, such as `pm_card_visa`; for `stripe` alone.
    #[serde(default)]
    payment_method_id: Option<String>,
}

/// Calls the payment that an unpaid purchase waits for off, and pays with credits or another card. Answers
/// like the request that made the purchase; one that is paid already stays as it is.
pub async fn pay_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    PreferWait(wait): PreferWait,
    Extension(request_id): Extension<RequestId>,
    PurchasePath(id): PurchasePath,
    Json(new): Json<NewPayment>,
) -> Result<Response, ApiError> {
    check_card_of(new.payment_method, new.payment_method_id.as_deref())?;
    let request = PayRequest {
        purchase: id,
        buyer: principal.user,
        api_key: principal.key,
        payment_method: new.payment_method,
        payment_method_id: new.payment_method_id,
        are_cards_on: state.cards.is_some(),
        request_id: request_id.0,
    };
    // In a task of its own: a client that hangs up now does not undo it halfway.
    let outbox = dry_run.outbox(&state);
    let paying = places::spawn(async move { commands::pay_otherwise(&outbox, &request).await });
    paying.await.map_err(|error| {
        tracing::error!(%error, "Paying a purchase broke off");
        ApiError::new(Code::InternalError, "An internal error occurred.")
    })??;
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    let find = view::finder(&state, Some(id), principal.user);
    let waited = wait.unwrap_or(Duration::from_secs(PURCHASE_WAIT_SECONDS));
    let shown = Follower::new(
        &state,
        Some(&principal),
        purchases::CHANGED,
        id.to_string(),
        find,
    )
    .wait(waited, view::Shown::has_answer)
    .await?;
    answer(&shown, wait)
}
