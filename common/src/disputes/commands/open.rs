//! A buyer disputes a settled purchase: the seller's share is frozen, the package is to be measured.
//!
//! Locks in order: the purchase, accounts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::tell::{Step, tell_in_tx};
use crate::disputes::queries::find_of_purchase;
use crate::disputes::{Dispute, DisputeError, DisputeReason, DisputeState};
use crate::events::{self, Category, NewStream};
use crate::ids::{DisputeId, PurchaseId, UserId};
use crate::jobs::{Cost, JobName, NewJob};
use crate::ledger::{self, Posting};
use crate::limits::DISPUTE_SECONDS;
use crate::outbox::{Outbox, Tx};
use crate::purchases::{Purchase, PurchaseError, PurchaseState, lock_in_tx, lock_share_in_tx};
use crate::webhooks::EventType;

/// What a buyer claims.
#[derive(Debug, Clone)]
pub struct NewDispute {
    pub purchase: PurchaseId,
    pub buyer: UserId,
    pub reason: DisputeReason,
    pub description: String,
    pub request_id: String,
}

/// Opens the dispute: purchase, freeze, event, webhooks and job in one transaction.
pub async fn open(outbox: &Outbox, new: &NewDispute) -> Result<DisputeId, DisputeError> {
    let mut tx = outbox.begin().await?;
    let purchase = lock_in_tx(&mut tx, new.purchase)
        .await?
        .filter(|purchase| purchase.buyer_id == new.buyer)
        .ok_or(PurchaseError::NotFound)?;
    if let Some(earlier) = find_of_purchase(&mut *tx, purchase.id).await? {
        return Err(DisputeError::DisputedBefore(earlier.id));
    }
    check_disputable(purchase.state, purchase.settled_at, Utc::now())?;
    let dispute = insert_in_tx(&mut tx, new).await?;
    let stream = NewStream {
        id: dispute.id.0,
        name: Category::Dispute.stream_of(dispute.id),
        audience: &[purchase.buyer_id, purchase.seller_id],
    };
    events::open_in_tx(&mut tx, &stream).await?;
    freeze_in_tx(&mut tx, &purchase, &dispute).await?;
    tx.enqueue(&NewJob {
        name: JobName::RemeasurePackage,
        subject: dispute.id.0,
        tenant: Some(purchase.buyer_id),
        cost: Cost::UNKNOWN,
        trace: new.request_id.clone(),
        delay: Duration::ZERO,
    })
    .await?;
    let step = Step {
        event_type: EventType::DisputeOpened,
        state: DisputeState::Open,
        finding: None,
        decision: None,
        note: None,
        trace: &new.request_id,
    };
    tell_in_tx(&mut tx, &purchase, &dispute, step).await?;
    tx.commit().await?;
    Ok(dispute.id)
}

fn check_disputable(
    state: PurchaseState,
    settled_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DisputeError> {
    let window = TimeDelta::seconds(DISPUTE_SECONDS.cast_signed());
    match state {
        PurchaseState::Settled if settled_at.is_some_and(|at| now - at < window) => Ok(()),
        PurchaseState::Settled => Err(DisputeError::WindowOver),
        state => Err(DisputeError::NotSettled(state)),
    }
}

async fn insert_in_tx(tx: &mut Tx, new: &NewDispute) -> Result<Dispute, sqlx::Error> {
    sqlx::query_as(
        "insert into disputes (id, purchase_id, reason, description, request_id)
         values ($1, $2, $3, $4, $5)
         returning id, purchase_id, reason, state, finding, request_id",
    )
    .bind(DisputeId::new())
    .bind(new.purchase)
    .bind(new.reason)
    .bind(&new.description)
    .bind(&new.request_id)
    .fetch_one(&mut **tx)
    .await
}

async fn freeze_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    dispute: &Dispute,
) -> Result<(), DisputeError> {
    sqlx::query("update purchases set state = 'disputed', version = version + 1 where id = $1")
        .bind(purchase.id)
        .execute(&mut **tx)
        .await?;
    let data = json!({ "state": PurchaseState::Disputed, "disputeId": dispute.id });
    let both = [purchase.buyer_id, purchase.seller_id];
    let trace = &dispute.request_id;
    events::append_for_in_tx(
        tx,
        purchase.id.0,
        "purchase.disputed",
        trace,
        data,
        Some(&both),
    )
    .await?;
    if purchase.net_minor > 0 {
        let left_minor = lock_share_in_tx(tx, purchase).await?;
        let (seller, net_minor) = (purchase.seller_id, purchase.net_minor);
        let posting = Posting::dispute_freeze(dispute.id.0, seller, net_minor, left_minor);
        ledger::post_in_tx(tx, &posting, &purchase.currency, &dispute.request_id)
            .await
            .map_err(PurchaseError::from)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_settled_purchase_can_be_disputed_and_for_exactly_thirty_days() {
        let now = Utc::now();
        let window = DISPUTE_SECONDS.cast_signed();
        let check =
            |state, seconds| check_disputable(state, Some(now - TimeDelta::seconds(seconds)), now);
        assert!(check(PurchaseState::Settled, window - 1).is_ok());
        assert!(matches!(
            check(PurchaseState::Settled, window),
            Err(DisputeError::WindowOver)
        ));
        for state in [PurchaseState::Pending, PurchaseState::Refunded] {
            let refused = check(state, 0);
            assert!(
                matches!(refused, Err(DisputeError::NotSettled(named)) if named == state),
                "{refused:?}"
            );
        }
    }
}
