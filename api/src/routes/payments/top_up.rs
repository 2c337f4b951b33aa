//! `POST /api/ai/credits/top-ups`: a job that the request waits for.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use common::identity::Principal;
use common::limits::{
    CARD_AMOUNT_MINOR_MAX, CARD_AMOUNT_MINOR_MIN, CARD_METHOD_CHARS_MAX, PURCHASE_WAIT_SECONDS,
};
use common::money::{Price, decimal_text};
use common::payments::{self, PaymentError, commands};
use common::wire::Currency;
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{self, Followable, TopUpOutcome};
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, Json, NumberText, PreferWait};
use crate::follow::{Follower, PREFERENCE_APPLIED, applied};
use crate::middleware::RequestId;
use crate::places;
use crate::routes::check_webhook_url;
use crate::state::ApiState;

/// The one currency of credits.
const CURRENCY: &str = "USD";

/// What is asked for. The payment's id is never the client's to choose.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopUpRequest {
    /// The amount, with at most two decimals.
    amount: NumberText,
    /// USD, which is also the default.
    #[serde(default)]
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
    /// The card, by the card provider's id. Without one the payer chooses a card at the provider.
    #[serde(default)]
    payment_method_id: Option<String>,
    /// Where to send the events of this top-up.
    #[serde(default)]
    #[schemars(url)]
    webhook_url: Option<String>,
}

/// Buys credits with a card. Answers 200 once they are there, 402 if the card was declined, and 202
/// with the client secret if the payer must act, or if it takes longer than the client waits.
pub async fn create_top_up(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    idempotency: IdempotencyHeader,
    PreferWait(wait): PreferWait,
    Extension(request_id): Extension<RequestId>,
    Json(new): Json<TopUpRequest>,
) -> Result<Answer<TopUpOutcome>, ApiError> {
    if state.cards.is_none() {
        return Err(PaymentError::CardsAreOff.into());
    }
    let key = idempotency.scoped(&principal, "top-ups");
    let request = read(&state, &principal, request_id, new)?;
    let outbox = state.outbox.clone();
    let top_up = async move { commands::top_up(&outbox, &request, key.as_ref()).await };
    let created = places::complete("record a top-up", top_up).await?;
    let find = view::finder(&state, Some(created.id), principal.user);
    let waited = wait.unwrap_or(Duration::from_secs(PURCHASE_WAIT_SECONDS));
    let shown = Follower::new(
        &state,
        Some(&principal),
        payments::CHANGED,
        created.id.to_string(),
        find,
    )
    .wait(waited, Followable::has_answer)
    .await?;
    let answer = shown.outcome()?;
    Ok(match wait {
        Some(_) => answer.header(PREFERENCE_APPLIED, applied(waited)),
        None => answer,
    })
}

fn read(
    state: &ApiState,
    principal: &Principal,
    request_id: RequestId,
    new: TopUpRequest,
) -> Result<payments::TopUpRequest, ApiError> {
    let amount_minor = read_amount(&new.amount)?;
    if new.currency.as_deref().is_some_and(|text| text != CURRENCY) {
        return Err(fault("currency", format!("must be {CURRENCY}")));
    }
    check_method_id(new.payment_method_id.as_deref())?;
    check_webhook_url(state, new.webhook_url.as_deref())?;
    Ok(payments::TopUpRequest {
        user: principal.user,
        api_key: principal.key,
        amount_minor,
        currency: CURRENCY.to_owned(),
        method_id: new.payment_method_id,
        webhook_url: new.webhook_url,
        request_id: request_id.0,
    })
}

/// An amount that the card provider charges.
fn read_amount(number: &NumberText) -> Result<i64, ApiError> {
    let price = Price::parse(number.as_str());
    let amount_minor = price
        .map_err(|error| fault("amount", error.to_string()))?
        .minor();
    if !(CARD_AMOUNT_MINOR_MIN..=CARD_AMOUNT_MINOR_MAX).contains(&amount_minor) {
        let (least, most) = (
            decimal_text(CARD_AMOUNT_MINOR_MIN),
            decimal_text(CARD_AMOUNT_MINOR_MAX),
        );
        return Err(fault("amount", format!("must be {least} to {most}")));
    }
    Ok(amount_minor)
}

/// Refuses what no provider calls a card.
pub fn check_method_id(id: Option<&str>) -> Result<(), ApiError> {
    let is_sound = |id: &str| {
        (1..=CARD_METHOD_CHARS_MAX).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if id.is_none_or(is_sound) {
        return Ok(());
    }
    let message = format!(
        "must be 1 to {CARD_METHOD_CHARS_MAX} letters, digits and underscores, such as pm_card_visa"
    );
    Err(fault("paymentMethodId", message))
}

fn fault(field: &str, message: String) -> ApiError {
    ApiError::new(Code::InvalidInput, format!("{field} {message}.")).field(field, message)
}
