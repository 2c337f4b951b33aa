//! Tells the seller what became of a payout: an event, and a webhook.

use serde::Serialize;

use crate::events;
use crate::ids::PayoutId;
use crate::money::decimal_number;
use crate::outbox::Tx;
use crate::payouts::{Payout, PayoutState};
use crate::webhooks::{EventType, NewEvent, announce_in_tx};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PayoutChanged<'a> {
    event: &'static str,
    payout_id: PayoutId,
    status: PayoutState,
    amount: serde_json::Number,
    amount_minor: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Says where the payout stands.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    payout: &Payout,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let event_type = match payout.state {
        PayoutState::Requested => EventType::PayoutRequested,
        PayoutState::Paid => EventType::PayoutPaid,
        PayoutState::Returned => EventType::PayoutReturned,
    };
    let data = serde_json::json!({
        "state": payout.state,
        "amountMinor": payout.amount_minor,
        "currency": payout.currency,
        "reference": payout.reference,
        "reason": payout.reason,
    });
    events::append_in_tx(tx, payout.id.0, event_type.as_str(), trace, data).await?;
    let message = PayoutChanged {
        event: event_type.as_str(),
        payout_id: payout.id,
        status: payout.state,
        amount: decimal_number(payout.amount_minor),
        amount_minor: payout.amount_minor,
        currency: &payout.currency,
        reference: payout.reference.as_deref(),
        reason: payout.reason.as_deref(),
    };
    let event = NewEvent {
        owner: payout.seller_id,
        subject: payout.id.0,
        event_type,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: trace.into(),
        address: None,
    };
    announce_in_tx(tx, &event).await
}
