//! Tells the payer of a top-up that it is over.

use serde::Serialize;

use crate::ids::PaymentId;
use crate::money::decimal_number;
use crate::outbox::Tx;
use crate::payments::{Payment, PaymentState, Purpose};
use crate::webhooks::{NewDelivery, promise_in_tx};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopUpEnded<'a> {
    event: &'static str,
    top_up_id: PaymentId,
    status: PaymentState,
    amount: serde_json::Number,
    amount_minor: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Promises `top_up.completed` or `top_up.failed`; of a purchase its own webhooks tell.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let (Some(url), Purpose::TopUp) = (&payment.webhook_url, payment.purpose) else {
        return Ok(());
    };
    let event = match payment.state {
        PaymentState::Succeeded => "top_up.completed",
        PaymentState::Failed | PaymentState::Canceled => "top_up.failed",
        _ => return Ok(()),
    };
    let message = TopUpEnded {
        event,
        top_up_id: payment.id,
        status: payment.state,
        amount: decimal_number(payment.amount_minor),
        amount_minor: payment.amount_minor,
        currency: &payment.currency,
        code: payment.reason_code.as_deref(),
        decline_code: payment.decline_code.as_deref(),
        error: payment.message.as_deref(),
    };
    let delivery = NewDelivery {
        owner: payment.user_id,
        api_key: payment.api_key_id,
        subject: payment.id.0,
        event_type: event,
        url: url.clone(),
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: trace.to_owned(),
    };
    promise_in_tx(tx, &delivery).await
}
