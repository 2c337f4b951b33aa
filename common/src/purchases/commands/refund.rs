//! Takes a purchase back: the buyer gets the price, seller and platform give their parts, the grant ends.
//!
//! Without a download it takes one word of the buyer. After one the buyer has had the goods: it takes a
//! reason, an account does it a few times, and then its way is a dispute.
//!
//! Locks in order: the purchase, the buyer's returns (advisory), the listing's row (by the trigger that
//! counts the supply), accounts.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::catalog::CATALOGUE;
use crate::chargebacks::commands::Debts;
use crate::events;
use crate::ids::{PurchaseId, UserId};
use crate::ledger::{self, Posting, Share};
use crate::limits::{REFUND_SECONDS, RETURNS_DAYS, RETURNS_MAX};
use crate::outbox::{Outbox, Tx};
use crate::purchases::{
    CHANGED, News, Purchase, PurchaseError, PurchaseState, ReturnReason, SUPPLY, lock_in_tx,
    lock_share_in_tx, tell_parties_in_tx,
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

/// What a buyer says who hands something back.
#[derive(Debug, Clone, Copy)]
pub struct NewReturn<'a> {
    pub buyer: UserId,
    pub code: Option<ReturnReason>,
    pub reason: Option<&'a str>,
    pub trace: &'a str,
}

/// Refunds a purchase to the buyer who asks in time. Asked again, it changes nothing.
pub async fn refund(
    outbox: &Outbox,
    id: PurchaseId,
    new: &NewReturn<'_>,
) -> Result<(), PurchaseError> {
    let mut tx = outbox.begin().await?;
    let purchase = lock_in_tx(&mut tx, id)
        .await?
        .filter(|purchase| purchase.buyer_id == new.buyer)
        .ok_or(PurchaseError::NotFound)?;
    // What was taken down is handed back whenever its buyer wants, and for no other reason.
    let is_taken_down = is_taken_down(&mut tx, &purchase).await?;
    let is_to_refund = match is_to_refund(purchase.state, purchase.settled_at, Utc::now()) {
        Err(PurchaseError::RefundWindowOver) if is_taken_down => true,
        is_open => is_open?,
    };
    if is_to_refund {
        let is_return = !is_taken_down && check_return_in_tx(&mut tx, id, new).await?;
        let refund = Refund {
            cause: Cause::Buyer,
            reason: new.reason,
            trace: new.trace,
        };
        refund_in_tx(&mut tx, &purchase, &refund).await?;
        if is_return {
            sqlx::query("update purchases set return_reason = $2 where id = $1")
                .bind(id)
                .bind(new.code)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Whether it was downloaded; then it takes a reason, and is one of few. With the purchase locked nothing
/// is downloaded meanwhile; returns of one account are counted one after the other.
async fn check_return_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    new: &NewReturn<'_>,
) -> Result<bool, PurchaseError> {
    let is_downloaded: bool =
        sqlx::query_scalar("select exists (select from downloads where purchase_id = $1)")
            .bind(id)
            .fetch_one(&mut **tx)
            .await?;
    if !is_downloaded {
        return Ok(false);
    }
    if new.code.is_none() || new.reason.is_none() {
        return Err(PurchaseError::ReturnNeedsReason);
    }
    sqlx::query("select pg_advisory_xact_lock(uuid_hash_extended($1, 4))")
        .bind(new.buyer)
        .execute(&mut **tx)
        .await?;
    let returns: i64 = sqlx::query_scalar(
        "select count(*)
         from purchases
         where buyer_id = $1
           and return_reason is not null
           and finished_at > now() - make_interval(days => $2)",
    )
    .bind(new.buyer)
    .bind(RETURNS_DAYS)
    .fetch_one(&mut **tx)
    .await?;
    if returns >= RETURNS_MAX {
        return Err(PurchaseError::TooManyReturns);
    }
    Ok(true)
}

async fn is_taken_down(tx: &mut Tx, purchase: &Purchase) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select taken_down_at is not null from packages where id = $1")
        .bind(purchase.package_id)
        .fetch_one(&mut **tx)
        .await
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
/// reserve, and the caller resolves its dispute; any other's is taken from the earnings of its seller, and
/// what was drawn of it from the platform.
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
    let data =
        serde_json::json!({ "state": "refunded", "cause": refund.cause, "reason": refund.reason });
    let both = [purchase.buyer_id, purchase.seller_id];
    let trace = refund.trace;
    events::append_for_in_tx(
        tx,
        purchase.id.0,
        "purchase.refunded",
        trace,
        data,
        Some(&both),
    )
    .await?;
    tell_refunded_in_tx(tx, purchase, refund).await?;
    // Last, because the seller's other refunds and payouts wait for it.
    give_back_in_tx(tx, purchase, refund.trace).await?;
    tx.announce(CHANGED, purchase.id.to_string());
    // What the buyer said of the package has no weight any more.
    tx.outdate(CATALOGUE);
    tx.announce(SUPPLY, purchase.package_public_id.as_str());
    Ok(())
}

/// Moves the money; the state has moved before.
async fn give_back_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    trace: &str,
) -> Result<(), PurchaseError> {
    if purchase.price_minor == 0 {
        return Ok(());
    }
    let share = match purchase.state {
        PurchaseState::Disputed => Share::Frozen,
        _ => Share::Earned {
            left_minor: lock_share_in_tx(tx, purchase).await?,
        },
    };
    let posting = Posting::refund(
        purchase.id.0,
        purchase.buyer_id,
        purchase.seller_id,
        purchase.split(),
        share,
    );
    let debts = Debts::lock_in_tx(tx, purchase.buyer_id, &purchase.currency).await?;
    ledger::post_in_tx(tx, &posting, &purchase.currency, trace).await?;
    debts.collect_in_tx(tx, purchase.id.0, trace).await?;
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
