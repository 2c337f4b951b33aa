//! Says what became of a dispute: an event, a webhook to both parties, and a hint to whoever waits.

use serde::Serialize;

use crate::disputes::{CHANGED, Decision, Dispute, DisputeReason, DisputeState, Finding};
use crate::events;
use crate::ids::{DisputeId, PurchaseId};
use crate::outbox::Tx;
use crate::purchases::{News, Purchase, tell_parties_in_tx};
use crate::webhooks::EventType;

/// A step of a dispute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub event_type: EventType,
    pub state: DisputeState,
    pub finding: Option<Finding>,
    pub decision: Option<Decision>,
    pub note: Option<&'a str>,
    pub trace: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DisputeChanged<'a> {
    event: &'static str,
    dispute_id: DisputeId,
    purchase_id: PurchaseId,
    package_id: &'a str,
    reason: DisputeReason,
    state: DisputeState,
    finding: Option<Finding>,
    decision: Option<Decision>,
    note: Option<&'a str>,
}

/// Writes all of it into the transaction of the step.
pub(super) async fn tell_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    dispute: &Dispute,
    step: Step<'_>,
) -> Result<(), sqlx::Error> {
    let data = serde_json::json!({
        "state": step.state,
        "purchaseId": purchase.id,
        "reason": dispute.reason,
        "finding": step.finding,
        "decision": step.decision,
        "note": step.note,
    });
    events::append_in_tx(tx, dispute.id.0, step.event_type.as_str(), step.trace, data).await?;
    let news = News {
        subject: dispute.id.0,
        event_type: step.event_type,
        message: DisputeChanged {
            event: step.event_type.as_str(),
            dispute_id: dispute.id,
            purchase_id: purchase.id,
            package_id: purchase.package_public_id.as_str(),
            reason: dispute.reason,
            state: step.state,
            finding: step.finding,
            decision: step.decision,
            note: step.note,
        },
        trace: step.trace,
    };
    tell_parties_in_tx(tx, purchase, &news).await?;
    tx.announce(CHANGED, dispute.id.to_string());
    tx.announce(crate::purchases::CHANGED, purchase.id.to_string());
    Ok(())
}
