//! `POST /api/ai/payouts`.

use axum::Extension;
use axum::extract::State;
use common::money::Price;
use common::payouts::commands::{self, NewPayout};
use common::payouts::{PayoutError, find};
use common::wire::Currency;
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::Payout;
use crate::contract::{Answer, Tried};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, IdempotencyHeader, Json, NumberText};
use crate::middleware::RequestId;
use crate::state::ApiState;

/// What a seller asks for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutRequest {
    /// The amount, with at most two decimals.
    amount: NumberText,
    #[serde(default = "dollars")]
    #[schemars(with = "Currency")]
    currency: String,
}

fn dollars() -> String {
    "USD".to_owned()
}

/// Asks for earnings. What buyers may still hand back is not paid out.
pub async fn request_payout(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    idempotency: IdempotencyHeader,
    Extension(request_id): Extension<RequestId>,
    Json(request): Json<PayoutRequest>,
) -> Result<Tried<Payout>, ApiError> {
    let key = idempotency.scoped(&principal, "payouts");
    let new = NewPayout {
        seller: principal.user,
        amount_minor: amount(&request.amount)?,
        currency: currency(request.currency)?,
        request_id: request_id.0,
    };
    let id = commands::request(&dry_run.outbox(&state), &new, key.as_ref()).await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let payout = find(state.pool(), id, Some(principal.user)).await?;
    let payout = payout.ok_or(PayoutError::NotFound)?;
    let address = format!("/api/ai/payouts/{id}");
    Ok(Tried::Done(Answer::created(
        Payout::from(&payout),
        &address,
    )))
}

fn amount(number: &NumberText) -> Result<i64, ApiError> {
    let fault = match Price::parse(number.as_str()) {
        Ok(price) if price.minor() > 0 => return Ok(price.minor()),
        Ok(_) => "must be more than zero".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(ApiError::new(Code::InvalidInput, format!("amount {fault}.")).field("amount", fault))
}

fn currency(text: String) -> Result<String, ApiError> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text);
    }
    let fault = "must be three capital letters, such as USD";
    Err(ApiError::new(Code::InvalidInput, format!("currency {fault}.")).field("currency", fault))
}
