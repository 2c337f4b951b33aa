//! An operator decides a dispute.
//!
//! Locks in order: the purchase, the dispute, accounts.

use super::resolve::{Resolution, count, resolve_in_tx};
use crate::disputes::{Decider, Decision, DisputeError, find};
use crate::ids::DisputeId;
use crate::outbox::Outbox;
use crate::purchases::commands::Cause;
use crate::purchases::lock_in_tx;

/// Decides. The same decision again changes nothing, another one is refused.
pub async fn decide(
    outbox: &Outbox,
    id: DisputeId,
    decision: Decision,
    note: &str,
    trace: &str,
) -> Result<(), DisputeError> {
    let mut tx = outbox.begin().await?;
    let seen = find(&mut *tx, id).await?.ok_or(DisputeError::NotFound)?;
    let purchase = lock_in_tx(&mut tx, seen.purchase_id)
        .await?
        .ok_or(DisputeError::NotFound)?;
    // Only with the purchase locked does the dispute stand still.
    let dispute = find(&mut *tx, id).await?.ok_or(DisputeError::NotFound)?;
    if dispute.state == decision.state() {
        return Ok(());
    }
    let resolution = Resolution {
        decision,
        by: Decider::Operator,
        note: Some(note),
        cause: Cause::Dispute,
        trace,
    };
    if !resolve_in_tx(&mut tx, &purchase, &dispute, resolution).await? {
        return Err(DisputeError::DecidedBefore(dispute.state));
    }
    tx.commit().await?;
    count(&dispute, decision);
    Ok(())
}
