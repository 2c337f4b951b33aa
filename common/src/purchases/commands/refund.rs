//! Takes a purchase back: the buyer gets the price, seller and platform give their parts, the grant ends.
//!
//! Locks in order: the purchase, the listing's row (by the trigger that counts the supply), accounts.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::catalog::CATALOGUE;
use crate::events;
use crate::ids::{PurchaseId, UserId};
use crate::ledger::{self, Posting};
use crate::limits::REFUND_SECONDS;
use crate::outbox::{Outbox, Tx};
use crate::purchases::{
    CHANGED, News, Purchase, PurchaseError, PurchaseState, lock_in_tx, tell_parties_in_tx,
};
use crate::webhooks::EventType;

/// Who wanted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Buyer,
    Operator,
    Dispute,
}

/// Why a purchase is taken back.
#[derive(Debug, Clone, Copy)]
pub struct Refund<'a> {
    pub cause: Cause,
    pub reason: Option<&'a str>,
    pub trace: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PurchaseRefunded<'a> {
    event: &'static str,
    purchase_id: PurchaseId,
    package_id: &'a str,
    price_minor: i64,
    net_minor: i64,
    currency: &'a str,
    cause: Cause,
    reason: Option<&'a str>,
}

/// Refunds a purchase to the buyer who asks in time. Asked again, it changes nothing.
pub async fn refund(
    outbox: &Outbox,
    id: PurchaseId,
    buyer: UserId,
    reason: Option<&str>,
    trace: &str,
) -> Result<(), PurchaseError> {
    let mut tx = outbox.begin().await?;
    let purchase = lock_in_tx(&mut tx, id)
        .await?
        .filter(|purchase| purchase.buyer_id == buyer)
        .ok_or(PurchaseError::NotFound)?;
    if is_to_refund(purchase.state, purchase.settled_at, Utc::now())? {
        let refund = Refund {
            cause: Cause::Buyer,
            reason,
            trace,
        };
        refund_in_tx(&mut tx, &purchase, &refund).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Whether a buyer's wish is to be carried out; not if it has been.
fn is_to_refund(
    state: PurchaseState,
    settled_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<bool, PurchaseError> {
    let window = TimeDelta::seconds(REFUND_SECONDS.cast_signed());
    match state {
        PurchaseState::Refunded => Ok(false),
        PurchaseState::Disputed => Err(PurchaseError::Disputed),
        PurchaseState::Settled if settled_at.is_some_and(|at| now - at < window) => Ok(true),
        PurchaseState::Settled => Err(PurchaseError::RefundWindowOver),
        state => Err(PurchaseError::NotSettled(state)),
    }
}

/// Reverses a purchase that was locked as settled or disputed. A disputed one's share comes out of the
/// reserve, and the caller resolves its dispute.
pub async fn refund_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    refund: &Refund<'_>,
) -> Result<(), PurchaseError> {
    let refunded = sqlx::query(
        "update purchases
         set state = 'refunded', finished_at = now(), version = version + 1
         where id = $1
           and state = $2
           and state in ('settled', 'disputed')",
    )
    .bind(purchase.id)
    .bind(purchase.state)
    .execute(&mut **tx)
    .await?;
    if refunded.rows_affected() == 0 {
        return Err(PurchaseError::NotSettled(purchase.state));
    }
    if purchase.price_minor > 0 {
        let posting = Posting::refund(
            purchase.id.0,
            purchase.buyer_id,
            purchase.seller_id,
            purchase.split(),
            purchase.state == PurchaseState::Disputed,
        );
        ledger::post_in_tx(tx, &posting, &purchase.currency, refund.trace).await?;
    }
    sqlx::query("insert into package_deltas (package_id, sales) values ($1, -1)")
        .bind(purchase.package_id)
        .execute(&mut **tx)
        .await?;
    let data = serde_json::json!({ "cause": refund.cause, "reason": refund.reason });
    events::append_in_tx(tx, purchase.id.0, "purchase.refunded", refund.trace, data).await?;
    tell_refunded_in_tx(tx, purchase, refund).await?;
    tx.announce(CHANGED, purchase.id.to_string());
    // What the buyer said of the package has no weight any more.
    tx.outdate(CATALOGUE);
    Ok(())
}

async fn tell_refunded_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    refund: &Refund<'_>,
) -> Result<(), sqlx::Error> {
    let event_type = EventType::PurchaseRefunded;
    let news = News {
        subject: purchase.id.0,
        event_type,
        message: PurchaseRefunded {
            event: event_type.as_str(),
            purchase_id: purchase.id,
            package_id: purchase.package_public_id.as_str(),
            price_minor: purchase.price_minor,
            net_minor: purchase.net_minor,
            currency: &purchase.currency,
            cause: refund.cause,
            reason: refund.reason,
        },
        trace: refund.trace,
    };
    tell_parties_in_tx(tx, purchase, &news).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settled_purchase_can_be_handed_back_for_exactly_seven_days() {
        let now = Utc::now();
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        let window = REFUND_SECONDS.cast_signed();
        let settled = PurchaseState::Settled;
        assert!(matches!(is_to_refund(settled, ago(0), now), Ok(true)));
        assert!(matches!(
            is_to_refund(settled, ago(window - 1), now),
            Ok(true)
        ));
        assert!(matches!(
            is_to_refund(settled, ago(window), now),
            Err(PurchaseError::RefundWindowOver)
        ));
    }

    #[test]
    fn what_is_not_settled_is_not_refunded() {
        let now = Utc::now();
        let decide = |state| is_to_refund(state, Some(now), now);
        assert!(matches!(decide(PurchaseState::Refunded), Ok(false)));
        assert!(matches!(
            decide(PurchaseState::Disputed),
            Err(PurchaseError::Disputed)
        ));
        for state in [PurchaseState::Pending, PurchaseState::Failed] {
            let refused = decide(state);
            assert!(
                matches!(refused, Err(PurchaseError::NotSettled(named)) if named == state),
                "{refused:?}"
            );
        }
    }
}
