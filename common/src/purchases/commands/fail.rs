//! A purchase comes to nothing: its buyer gets the credits back, and the reason.

use serde::Serialize;

use crate::events;
use crate::ids::PurchaseId;
use crate::jobs::{self, Lease, LeaseLost};
use crate::ledger::{self, HoldEnd};
use crate::outbox::{Outbox, Tx};
use crate::purchases::{CHANGED, SUPPLY, find};
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

/// Why, for machines and for people.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    pub code: &'a str,
    pub message: String,
    pub hold: HoldEnd,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PurchaseFailed<'a> {
    event: &'static str,
    purchase_id: PurchaseId,
    package_id: &'a str,
    code: &'a str,
    error: &'a str,
}

/// Ends a purchase that is under way, and releases its hold; one that has ended stays as it is.
/// False if it had.
pub async fn fail_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    failure: &Failure<'_>,
    trace: &str,
) -> Result<bool, sqlx::Error> {
    let failed = sqlx::query(
        "update purchases
         set state = 'failed', reason_code = $2, reason = $3, finished_at = now(), version = version + 1
         where id = $1
           and state in ('awaiting_payment', 'payment_unknown', 'pending')",
    )
    .bind(id)
    .bind(failure.code)
    .bind(&failure.message)
    .execute(&mut **tx)
    .await?;
    if failed.rows_affected() == 0 {
        return Ok(false);
    }
    ledger::release_hold_in_tx(tx, id.0, failure.hold).await?;
    let data =
        serde_json::json!({ "state": "failed", "code": failure.code, "message": failure.message });
    events::append_in_tx(tx, id.0, "purchase.failed", trace, data).await?;
    let purchase = find(&mut **tx, id).await?;
    let purchase = purchase.expect("this transaction holds the row");
    let message = PurchaseFailed {
        event: EventType::PurchaseFailed.as_str(),
        purchase_id: id,
        package_id: purchase.package_public_id.as_str(),
        code: failure.code,
        error: &failure.message,
    };
    let event = NewEvent {
        owner: purchase.buyer_id,
        subject: id.0,
        event_type: EventType::PurchaseFailed,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: trace.into(),
        address: Address::of(purchase.webhook_url.as_deref(), purchase.api_key_id),
    };
    announce_in_tx(tx, &event).await?;
    tx.announce(CHANGED, id.to_string());
    if purchase.takes_supply {
        tx.announce(SUPPLY, purchase.package_public_id.as_str());
    }
    Ok(true)
}

/// Ends a pending purchase, and its job: an operator blocked a party or took the package down.
pub async fn close(outbox: &Outbox, lease: &Lease) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let failure = Failure {
        code: "NOT_FOR_SALE",
        message: "the package is not for sale any more; nothing was charged".to_owned(),
        hold: HoldEnd::Voided,
    };
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    fail_in_tx(&mut tx, PurchaseId(lease.subject), &failure, &lease.trace).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Ends a pending purchase whose time is over. False if it has ended already.
pub async fn expire(outbox: &Outbox, id: PurchaseId) -> Result<bool, sqlx::Error> {
    let failure = Failure {
        code: "EXPIRED",
        message: "the purchase was not settled in time; nothing was charged".to_owned(),
        hold: HoldEnd::Expired,
    };
    let mut tx = outbox.begin().await?;
    let is_expired = fail_in_tx(&mut tx, id, &failure, "sweep").await?;
    tx.commit().await?;
    Ok(is_expired)
}
