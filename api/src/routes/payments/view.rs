//! Payments on the wire. The client secret is shown to the payer alone, and while there is something
//! to do with it.

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use common::ids::{PaymentId, UserId};
use common::money::decimal_number;
use common::payments::{self, Payment, PaymentError, PaymentState};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::error::{ApiError, Code};
use crate::follow::Status;
use crate::state::ApiState;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 500;

/// A top-up, to be followed.
#[derive(Debug)]
pub struct TopUp(Payment);

/// Finds the top-up again and again; only its payer sees it.
pub fn finder(
    state: &ApiState,
    id: Option<PaymentId>,
    user: UserId,
) -> impl Fn() -> BoxFuture<'static, Result<TopUp, ApiError>> + Send + 'static {
    let state = state.clone();
    move || {
        let state = state.clone();
        Box::pin(async move {
            let id = id.ok_or(PaymentError::NotFound)?;
            let found = payments::find_top_up(state.pool(), id, user).await?;
            Ok(TopUp(found.ok_or(PaymentError::NotFound)?))
        })
    }
}

/// Where a top-up is followed.
pub fn status_url(id: PaymentId) -> String {
    format!("/api/ai/credits/top-ups/{id}")
}

/// A top-up as its payer sees it.
pub fn body(payment: &Payment) -> Value {
    let is_final = payment.state.is_final();
    json!({
        "topUpId": payment.id,
        "status": payment.state,
        "amount": decimal_number(payment.amount_minor),
        "amountMinor": payment.amount_minor,
        "currency": payment.currency,
        "clientSecret": secret(payment),
        "error": error(payment),
        "errorCode": payment.reason_code,
        "declineCode": payment.decline_code,
        "statusUrl": status_url(payment.id),
        "nextPollMs": (!is_final).then_some(NEXT_POLL_MS),
        "timestamps": {
            "created": time(payment.created_at),
            "expires": (!is_final).then(|| time(payment.expires_at)),
            "finished": payment.finished_at.map(time),
        },
    })
}

/// The payment of a purchase as its buyer sees it.
pub fn payment_of_purchase(payment: &Payment) -> Value {
    json!({
        "paymentId": payment.id,
        "status": payment.state,
        "clientSecret": secret(payment),
        "declineCode": payment.decline_code,
    })
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

impl Status for TopUp {
    fn version(&self) -> i64 {
        self.0.version
    }

    fn is_final(&self) -> bool {
        self.0.state.is_final()
    }

    fn body(&self) -> Value {
        body(&self.0)
    }
}

impl TopUp {
    /// Whether it is over, or nothing goes on without the payer.
    pub fn has_answer(&self) -> bool {
        self.is_final() || self.0.state.waits_for_payer() || self.0.delayed_at.is_some()
    }

    /// The answer to the request that made it.
    pub fn outcome(&self) -> Result<(StatusCode, Value), ApiError> {
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
        let mut body = self.body();
        body["message"] = json!(message);
        Ok((status, body))
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

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
