//! Payments on the wire. The client secret is shown to the payer alone, and while there is something
//! to do with it.

use axum::http::StatusCode;
use common::ids::{PaymentId, UserId};
use common::payments::{self, Payment, PaymentError, PaymentState};
use common::wire::{Amount, Currency, Timestamp};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::follow::Status;
use crate::routes::page::NextCursor;
use crate::state::ApiState;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 500;

/// A top-up, to be followed.
#[derive(Debug)]
pub struct Followable(Payment);

/// Credits bought with a card.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopUp {
    top_up_id: PaymentId,
    status: PaymentState,
    /// The amount, with two decimals.
    amount: Amount,
    /// The amount in minor units, such as cents.
    amount_minor: i64,
    currency: Currency,
    /// For the card provider's library, while the payer must act there.
    client_secret: Option<String>,
    /// Why it failed, for people.
    error: Option<String>,
    /// Why it failed, for machines. `/docs/codes` lists the codes; they are only ever added.
    #[schemars(example = &"CARD_DECLINED")]
    error_code: Option<String>,
    /// The bank's reason, if it declined the card.
    decline_code: Option<String>,
    /// Where the top-up is followed.
    status_url: String,
    /// When to look again, in milliseconds; null once it has ended.
    next_poll_ms: Option<u64>,
    timestamps: TopUpTimes,
}

/// When a top-up changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TopUpTimes {
    /// When it was requested.
    created: Timestamp,
    /// Until when it can be paid, while it is not.
    expires: Option<Timestamp>,
    /// When it ended.
    finished: Option<Timestamp>,
}

/// A top-up right after it was requested.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TopUpOutcome {
    #[serde(flatten)]
    top_up: TopUp,
    /// Where it stands, for people.
    message: &'static str,
}

/// A page of top-ups, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopUpPage {
    pub top_ups: Vec<TopUp>,
    pub next_cursor: NextCursor,
}

/// Finds the top-up again and again; only its payer sees it.
pub fn finder(
    state: &ApiState,
    id: Option<PaymentId>,
    user: UserId,
) -> impl Fn() -> BoxFuture<'static, Result<Followable, ApiError>> + Send + 'static {
    let state = state.clone();
    move || {
        let state = state.clone();
        Box::pin(async move {
            let id = id.ok_or(PaymentError::NotFound)?;
            let found = payments::find_top_up(state.pool(), id, user).await?;
            Ok(Followable(found.ok_or(PaymentError::NotFound)?))
        })
    }
}

/// Where a top-up is followed.
pub fn status_url(id: PaymentId) -> String {
    format!("/api/ai/credits/top-ups/{id}")
}

impl From<&Payment> for TopUp {
    fn from(payment: &Payment) -> Self {
        let is_final = payment.state.is_final();
        Self {
            top_up_id: payment.id,
            status: payment.state,
            amount: Amount(payment.amount_minor),
            amount_minor: payment.amount_minor,
            currency: Currency(payment.currency.clone()),
            client_secret: secret(payment).map(str::to_owned),
            error: error(payment).map(str::to_owned),
            error_code: payment.reason_code.clone(),
            decline_code: payment.decline_code.clone(),
            status_url: status_url(payment.id),
            next_poll_ms: (!is_final).then_some(NEXT_POLL_MS),
            timestamps: TopUpTimes {
                created: payment.created_at.into(),
                expires: (!is_final).then(|| payment.expires_at.into()),
                finished: payment.finished_at.map(Timestamp),
            },
        }
    }
}

/// The payment of a purchase as its buyer sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PurchasePayment {
    payment_id: PaymentId,
    status: PaymentState,
    /// For the card provider's library, while the payer must act there.
    client_secret: Option<String>,
    /// The bank's reason, if it declined the card.
    decline_code: Option<String>,
}

impl From<&Payment> for PurchasePayment {
    fn from(payment: &Payment) -> Self {
        Self {
            payment_id: payment.id,
            status: payment.state,
            client_secret: secret(payment).map(str::to_owned),
            decline_code: payment.decline_code.clone(),
        }
    }
}

fn secret(payment: &Payment) -> Option<&str> {
    let secret = payment.client_secret.as_deref();
    secret.filter(|_| payment.state.waits_for_payer())
}

/// What went wrong, once it has; before that the text is for operators.
fn error(payment: &Payment) -> Option<&str> {
    payment
        .message
        .as_deref()
        .filter(|_| payment.reason_code.is_some())
}

impl Status for Followable {
    type Body = TopUp;

    fn version(&self) -> i64 {
        self.0.version
    }

    fn is_final(&self) -> bool {
        self.0.state.is_final()
    }

    fn body(&self) -> TopUp {
        TopUp::from(&self.0)
    }
}

impl Followable {
    /// Whether it is over, or nothing goes on without the payer.
    pub fn has_answer(&self) -> bool {
        self.is_final() || self.0.state.waits_for_payer() || self.0.delayed_at.is_some()
    }

    /// The answer to the request that made it.
    pub fn outcome(&self) -> Result<Answer<TopUpOutcome>, ApiError> {
        let payment = &self.0;
        if let Some(delay) = delayed(payment) {
            return Err(delay.field("topUpId", payment.id.to_string()));
        }
        let (status, message) = match payment.state {
            PaymentState::Succeeded => (StatusCode::OK, "Your credits are here."),
            PaymentState::Failed | PaymentState::Canceled => return Err(failure(payment)),
            PaymentState::RequiresAction | PaymentState::RequiresPaymentMethod => (
                StatusCode::ACCEPTED,
                "Finish the payment at the card provider with clientSecret, then follow statusUrl.",
            ),
            PaymentState::Unknown => (
                StatusCode::ACCEPTED,
                "The card provider has not answered. Do not pay again: this payment will be resolved. Follow statusUrl.",
            ),
            PaymentState::Created | PaymentState::Processing => (
                StatusCode::ACCEPTED,
                "The payment is under way. Follow statusUrl.",
            ),
        };
        let top_up = self.body();
        let answer = Answer::with(status, TopUpOutcome { top_up, message });
        Ok(match status {
            StatusCode::ACCEPTED => answer.followed_at(&status_url(payment.id)),
            _ => answer,
        })
    }
}

/// What whoever waits is told while the provider refuses what we ask about the payment.
pub fn delayed(payment: &Payment) -> Option<ApiError> {
    let message = "Payments by card are disturbed on our side; nothing was charged. This one goes on by itself: follow its \
                   status, or repeat the request with the same Idempotency-Key.";
    let is_delayed = payment.delayed_at.is_some() && !payment.state.is_final();
    is_delayed.then(|| ApiError::new(Code::ServiceUnavailable, message))
}

/// A top-up that came to nothing, as an error.
fn failure(payment: &Payment) -> ApiError {
    let message = payment.message.clone().unwrap_or_default();
    let failure = ApiError::new(Code::PaymentRequired, message)
        .field("topUpId", payment.id.to_string())
        .field("reason", payment.reason_code.clone().unwrap_or_default());
    match &payment.decline_code {
        Some(code) => failure.field("declineCode", code),
        None => failure,
    }
}
