//! Tells the payer of a top-up that it is over.

use serde::Serialize;

use crate::ids::PaymentId;
use crate::money::decimal_number;
use crate::outbox::Tx;
use crate::payments::{Payment, PaymentState, Purpose};
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

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
    let event_type = match (payment.purpose, payment.state) {
        (Purpose::TopUp, PaymentState::Succeeded) => EventType::TopUpCompleted,
        (Purpose::TopUp, PaymentState::Failed | PaymentState::Canceled) => EventType::TopUpFailed,
        _ => return Ok(()),
    };
    let message = TopUpEnded {
        event: event_type.as_str(),
        top_up_id: payment.id,
        status: payment.state,
        amount: decimal_number(payment.amount_minor),
        amount_minor: payment.amount_minor,
        currency: &payment.currency,
        code: payment.reason_code.as_deref(),
        decline_code: payment.decline_code.as_deref(),
        error: payment.message.as_deref(),
    };
    let event = NewEvent {
        owner: payment.user_id,
        subject: payment.id.0,
        event_type,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: trace.into(),
        address: Address::of(payment.webhook_url.as_deref(), payment.api_key_id),
    };
    announce_in_tx(tx, &event).await
}
