//! Ends a dispute: the buyer is refunded out of the reserve, or the seller gets the share back.

use super::tell::{Step, tell_in_tx};
use crate::disputes::{Decider, Decision, Dispute, DisputeError};
use crate::events;
use crate::ledger::{self, Posting};
use crate::outbox::Tx;
use crate::purchases::commands::{Cause, Refund, refund_in_tx};
use crate::purchases::{Purchase, PurchaseError, PurchaseState};
use crate::telemetry::metrics;
use crate::webhooks::EventType;

/// A decision and what stands behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolution<'a> {
    pub decision: Decision,
    pub by: Decider,
    pub note: Option<&'a str>,
    /// Whose wish the refund is, if it is one.
    pub cause: Cause,
    pub trace: &'a str,
}

/// Resolves a dispute whose purchase the caller has locked. False if it was resolved before; then
/// nothing is written.
pub(super) async fn resolve_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    dispute: &Dispute,
    resolution: Resolution<'_>,
) -> Result<bool, DisputeError> {
    let resolved = sqlx::query(
        "update disputes
         set state = $2, decided_by = $3, note = $4, resolved_at = now(), version = version + 1
         where id = $1
           and resolved_at is null",
    )
    .bind(dispute.id)
    .bind(resolution.decision.state())
    .bind(resolution.by)
    .bind(resolution.note)
    .execute(&mut **tx)
    .await?;
    if resolved.rows_affected() == 0 {
        return Ok(false);
    }
    match resolution.decision {
        Decision::Refund => {
            let refund = Refund {
                cause: resolution.cause,
                reason: resolution.note,
                trace: resolution.trace,
            };
            refund_in_tx(tx, purchase, &refund).await?;
        }
        Decision::Release => release_in_tx(tx, purchase, dispute, resolution.trace).await?,
    }
    let step = Step {
        event_type: EventType::DisputeResolved,
        state: resolution.decision.state(),
        finding: dispute.finding,
        decision: Some(resolution.decision),
        note: resolution.note,
        trace: resolution.trace,
    };
    tell_in_tx(tx, purchase, dispute, step).await?;
    Ok(true)
}

async fn release_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    dispute: &Dispute,
    trace: &str,
) -> Result<(), DisputeError> {
    sqlx::query(
        "update purchases
         set state = 'settled', version = version + 1
         where id = $1
           and state = 'disputed'",
    )
    .bind(purchase.id)
    .execute(&mut **tx)
    .await?;
    let data = serde_json::json!({ "state": PurchaseState::Settled });
    let both = [purchase.buyer_id, purchase.seller_id];
    events::append_for_in_tx(
        tx,
        purchase.id.0,
        "purchase.released",
        trace,
        data,
        Some(&both),
    )
    .await?;
    if purchase.net_minor > 0 {
        let (seller, net_minor) = (purchase.seller_id, purchase.net_minor);
        let left_minor = frozen_of_seller_in_tx(tx, dispute).await?;
        let posting = Posting::dispute_release(dispute.id.0, seller, net_minor, left_minor);
        ledger::post_in_tx(tx, &posting, &purchase.currency, trace)
            .await
            .map_err(PurchaseError::from)?;
    }
    Ok(())
}

/// How much the freeze took from the seller: all of the share, unless it had been drawn.
async fn frozen_of_seller_in_tx(tx: &mut Tx, dispute: &Dispute) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(-sum(amount_minor), 0)::bigint
         from transfers
         join entries on entries.transfer_id = transfers.id
         join accounts on accounts.id = entries.account_id
         where transfers.kind = 'dispute_freeze'
           and transfers.subject = $1
           and accounts.kind = 'seller_earnings'",
    )
    .bind(dispute.id)
    .fetch_one(&mut **tx)
    .await
}

/// Counts a resolution that has committed.
pub(super) fn count(dispute: &Dispute, decision: Decision) {
    metrics()
        .disputes
        .with_label_values(&[dispute.reason.as_str(), decision.as_str()])
        .inc();
}
