//! An operator refunds a purchase, whatever its age; if it is disputed, that decides its dispute.
//!
//! Locks in order: the purchase, the dispute, accounts.

use super::resolve::{Resolution, count, resolve_in_tx};
use crate::disputes::queries::find_of_purchase;
use crate::disputes::{Decider, Decision, DisputeError};
use crate::ids::PurchaseId;
use crate::outbox::Outbox;
use crate::purchases::commands::{Cause, Refund, refund_in_tx};
use crate::purchases::{PurchaseError, PurchaseState, lock_in_tx};

/// Refunds. Asked again, it changes nothing.
pub async fn refund_by_operator(
    outbox: &Outbox,
    id: PurchaseId,
    reason: &str,
    trace: &str,
) -> Result<(), DisputeError> {
    let mut tx = outbox.begin().await?;
    let purchase = lock_in_tx(&mut tx, id)
        .await?
        .ok_or(PurchaseError::NotFound)?;
    if purchase.state == PurchaseState::Refunded {
        return Ok(());
    }
    let dispute = find_of_purchase(&mut *tx, id)
        .await?
        .filter(|_| purchase.state == PurchaseState::Disputed);
    match &dispute {
        Some(dispute) => {
            let resolution = Resolution {
                decision: Decision::Refund,
                by: Decider::Operator,
                note: Some(reason),
                cause: Cause::Operator,
                trace,
            };
            resolve_in_tx(&mut tx, &purchase, dispute, resolution).await?;
        }
        None => {
            let refund = Refund {
                cause: Cause::Operator,
                reason: Some(reason),
                trace,
            };
            refund_in_tx(&mut tx, &purchase, &refund).await?;
        }
    }
    tx.commit().await?;
    if let Some(dispute) = &dispute {
        count(dispute, Decision::Refund);
    }
    Ok(())
}
