//! Tells the buyer of a chargeback, and the seller whose sale the payment was for.

use serde::Serialize;

use crate::cards::{ReversalKind, ReversalState};
use crate::chargebacks::Chargeback;
use crate::ids::{ChargebackId, PurchaseId, UserId};
use crate::money::decimal_number;
use crate::outbox::Tx;
use crate::payments::Payment;
use crate::webhooks::{EventType, NewEvent, announce_in_tx};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChargebackChanged<'a> {
    event: &'static str,
    chargeback_id: ChargebackId,
    kind: ReversalKind,
    status: ReversalState,
    reason: &'a str,
    amount: serde_json::Number,
    amount_minor: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_id: Option<PurchaseId>,
    /// For the buyer alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    owed_minor: Option<i64>,
}

/// Promises `chargeback.opened` or `chargeback.closed`.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    chargeback: &Chargeback,
    payment: &Payment,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let event_type = match chargeback.state {
        ReversalState::Inquiry | ReversalState::Open => EventType::ChargebackOpened,
        ReversalState::Won | ReversalState::Lost => EventType::ChargebackClosed,
    };
    let seller: Option<UserId> =
        sqlx::query_scalar("select seller_id from purchases where id = $1")
            .bind(payment.purchase_id)
            .fetch_optional(&mut **tx)
            .await?;
    let participants = [Some(chargeback.user_id), seller];
    for owner in participants.into_iter().flatten() {
        let message = ChargebackChanged {
            event: event_type.as_str(),
            chargeback_id: chargeback.id,
            kind: chargeback.kind,
            status: chargeback.state,
            reason: &chargeback.reason,
            amount: decimal_number(chargeback.amount_minor),
            amount_minor: chargeback.amount_minor,
            currency: &chargeback.currency,
            purchase_id: payment.purchase_id,
            owed_minor: (owner == chargeback.user_id).then_some(chargeback.owed_minor),
        };
        let event = NewEvent {
            owner,
            subject: chargeback.id.0,
            event_type,
            occasion: Some(format!("{owner}:{:?}", chargeback.state).into()),
            body: serde_json::to_vec(&message).expect("plain text serialises"),
            trace: trace.into(),
            address: None,
        };
        announce_in_tx(tx, &event).await?;
    }
    Ok(())
}
