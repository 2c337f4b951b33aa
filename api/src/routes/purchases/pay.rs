//! `POST /api/ai/purchases/{purchaseId}/pay`: an unpaid purchase is paid by other means.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use common::limits::PURCHASE_WAIT_SECONDS;
use common::purchases::commands::{self, PayRequest};
use common::purchases::{self, PaymentMethod};
use schemars::JsonSchema;
use serde::Deserialize;

use super::create::{answer, check_card_of};
use super::view::{self, Followable, PurchaseOutcome};
use crate::contract::Tried;
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, Json, PreferWait, PurchasePath};
use crate::follow::Follower;
use crate::middleware::RequestId;
use crate::places;
use crate::state::ApiState;

/// How a purchase is to be paid now.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentRequest {
    payment_method: PaymentMethod,
    /// The card by the card provider's id, such as `pm_card_visa`; only with `stripe`.
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
    Json(new): Json<PaymentRequest>,
) -> Result<Tried<PurchaseOutcome>, ApiError> {
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
    let outbox = dry_run.outbox(&state);
    let paying = async move { commands::pay_otherwise(&outbox, &request).await };
    places::complete("pay a purchase", paying).await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
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
    .wait(waited, Followable::has_answer)
    .await?;
    answer(&shown, wait)
}
