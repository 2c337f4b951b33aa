//! What a card payment means to the purchase it is for.
//!
//! Locks in order: the listing (advisory), the job, the payment, the purchase, what the buyer owes, the buyer's
//! account.

use serde_json::json;

use super::create::{enqueue_settlement_in_tx, hold_in_tx};
use super::fail::{Failure, fail_in_tx};
use crate::chargebacks::commands::Debts;
use crate::events;
use crate::ids::{PaymentId, PurchaseId};
use crate::jobs::{self, Lease, LeaseLost};
use crate::ledger::HoldEnd;
use crate::limits::PURCHASE_SECONDS;
use crate::outbox::{Outbox, Tx};
use crate::payments::{self, Answer, Payment, PaymentState, Verdict};
use crate::purchases::supply::{Supply, lock_listing_of_payment_in_tx, look_in_tx, reserve_in_tx};
use crate::purchases::{CHANGED, PurchaseError, PurchaseState, find};

/// Ends a run of the payment's job: the job, the payment, its credit and its purchase, in one
/// transaction. A payment that nobody can judge yet keeps its job, and one that is not ours as it
/// should be is set aside with it.
pub async fn pay(
    outbox: &Outbox,
    lease: &Lease,
    answer: &Answer,
) -> Result<Result<(), LeaseLost>, PurchaseError> {
    let mut tx = outbox.begin().await?;
    lock_listing_of_payment_in_tx(&mut tx, PaymentId(lease.subject)).await?;
    let ended = match &answer.verdict {
        Verdict::Unclear(reason) | Verdict::Later(reason) => {
            let delay = jobs::snooze_delay(lease.snoozes);
            jobs::snooze(&mut *tx, lease, reason, delay).await?
        }
        Verdict::Suspect(reason) => {
            tracing::error!(payment.id = %PaymentId(lease.subject), reason, "Set a payment aside");
            jobs::quarantine_in_tx(&mut tx, lease, reason).await?
        }
        _ => jobs::finish_in_tx(&mut tx, lease).await?,
    };
    if ended.is_err() {
        return Ok(Err(LeaseLost));
    }
    let payment = payments::lock_in_tx(&mut tx, PaymentId(lease.subject)).await?;
    let payment = payment.ok_or(PurchaseError::NotFound)?;
    if let Some(purchase) = payment.purchase_id {
        // Before the account that a top-up locks.
        sqlx::query("select from purchases where id = $1 for no key update")
            .bind(purchase)
            .execute(&mut *tx)
            .await?;
    }
    let debts = Debts::lock_in_tx(&mut tx, payment.user_id, &payment.currency).await?;
    let recorded = payments::commands::record_in_tx(&mut tx, &payment, answer, &lease.trace);
    if let Some(changed) = recorded.await? {
        if changed.state == PaymentState::Succeeded && changed.purchase_id.is_none() {
            debts
                .collect_in_tx(&mut tx, changed.id.0, &lease.trace)
                .await?;
        }
        follow_in_tx(&mut tx, &changed, &lease.trace).await?;
    }
    tx.commit().await?;
    Ok(Ok(()))
}

/// Notes that the provider refuses what we ask, and wakes whoever waits for the payment or its purchase. Neither
/// has changed: the job asks again.
pub async fn delay_payment(outbox: &Outbox, payment: &Payment) -> Result<(), sqlx::Error> {
    let mut tx = outbox.begin().await?;
    sqlx::query(
        "update payments
         set delayed_at = coalesce(delayed_at, now())
         where id = $1
           and finished_at is null",
    )
    .bind(payment.id)
    .execute(&mut *tx)
    .await?;
    tx.announce(payments::CHANGED, payment.id.to_string());
    if let Some(purchase) = payment.purchase_id {
        tx.announce(CHANGED, purchase.to_string());
    }
    tx.commit().await?;
    Ok(())
}

/// Nobody looks after the payment's job any more: it may have been paid, so neither payment nor
/// purchase fails. The sweep asks again, unless an operator is to look first.
pub async fn doubt_payment_in_tx(
    tx: &mut Tx,
    id: PaymentId,
    reason: &str,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let doubted = payments::commands::doubt_in_tx(tx, id, reason, trace).await?;
    if let Some(purchase) = doubted.and_then(|payment| payment.purchase_id) {
        move_in_tx(tx, purchase, PurchaseState::PaymentUnknown, trace).await?;
        tx.announce(CHANGED, purchase.to_string());
    }
    Ok(())
}

/// The purchase follows its payment; not one that was called off, whose money stays with its payer.
async fn follow_in_tx(tx: &mut Tx, payment: &Payment, trace: &str) -> Result<(), PurchaseError> {
    let Some(id) = payment.purchase_id else {
        return Ok(());
    };
    if payment.called_off_at.is_some() {
        if payment.state == PaymentState::Succeeded {
            keep_credits_in_tx(tx, payment, id, trace).await?;
        }
        return Ok(());
    }
    match payment.state {
        PaymentState::Succeeded => buy_in_tx(tx, payment, id, trace).await?,
        PaymentState::Failed | PaymentState::Canceled => {
            let failure = Failure {
                code: payment.reason_code.as_deref().unwrap_or_default(),
                message: payment.message.clone().unwrap_or_default(),
                hold: HoldEnd::Voided,
            };
            fail_in_tx(tx, id, &failure, trace).await?;
        }
        PaymentState::Unknown => move_in_tx(tx, id, PurchaseState::PaymentUnknown, trace).await?,
        PaymentState::RequiresAction | PaymentState::Processing => {
            move_in_tx(tx, id, PurchaseState::AwaitingPayment, trace).await?;
            reserve_or_end_in_tx(tx, payment, id, trace).await?;
        }
        _ => move_in_tx(tx, id, PurchaseState::AwaitingPayment, trace).await?,
    }
    tx.announce(CHANGED, id.to_string());
    Ok(())
}

/// The provider has accepted the payment method: supply is kept for the purchase from now on, or there is
/// none and nobody is to pay for it.
async fn reserve_or_end_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    id: PurchaseId,
    trace: &str,
) -> Result<(), PurchaseError> {
    let purchase = find(&mut **tx, id).await?.ok_or(PurchaseError::NotFound)?;
    if !purchase.state.is_unpaid() {
        return Ok(());
    }
    let failure = match reserve_in_tx(tx, &purchase).await? {
        Supply::Free => return Ok(()),
        // Who pays first has it; others may still give it back.
        Supply::ReservedUntil(_) => return Ok(()),
        Supply::SoldOut => sold_out(),
        Supply::ChangedLicense => changed_license(),
    };
    payments::commands::call_off_in_tx(tx, payment, trace).await?;
    fail_in_tx(tx, id, &failure, trace).await?;
    Ok(())
}

/// The money is among the buyer's credits: the purchase takes supply and holds it; or it has ended, or
/// there is no supply, and the money stays there.
async fn buy_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    id: PurchaseId,
    trace: &str,
) -> Result<(), PurchaseError> {
    let purchase = find(&mut **tx, id).await?.ok_or(PurchaseError::NotFound)?;
    if !purchase.state.is_unpaid() {
        return Ok(keep_credits_in_tx(tx, payment, id, trace).await?);
    }
    if !purchase.takes_supply {
        let supply = look_in_tx(tx, purchase.package_id, &purchase.license_mode).await?;
        let failure = match supply {
            Supply::Free => None,
            Supply::ReservedUntil(_) | Supply::SoldOut => Some(sold_out()),
            Supply::ChangedLicense => Some(changed_license()),
        };
        if let Some(failure) = failure {
            fail_in_tx(tx, id, &failure, trace).await?;
            return Ok(keep_credits_in_tx(tx, payment, id, trace).await?);
        }
    }
    sqlx::query(
        "update purchases
         set state = 'pending', takes_supply = true, version = version + 1,
             expires_at = now() + make_interval(secs => $2)
         where id = $1",
    )
    .bind(id)
    .bind(PURCHASE_SECONDS as f64)
    .execute(&mut **tx)
    .await?;
    let (buyer, seller, currency) = (purchase.buyer_id, purchase.seller_id, &purchase.currency);
    hold_in_tx(tx, id, buyer, seller, purchase.price_minor, currency).await?;
    let event = json!({ "state": PurchaseState::Pending });
    enqueue_settlement_in_tx(tx, id, buyer, &purchase.request_id, event).await?;
    Ok(())
}

/// Notes that the money of a payment stays with its payer.
async fn keep_credits_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    id: PurchaseId,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let data = json!({ "purchase": id, "amountMinor": payment.amount_minor });
    events::append_in_tx(tx, payment.id.0, "payment.kept_as_credits", trace, data).await
}

fn sold_out() -> Failure<'static> {
    let message = "the package was sold to others before this payment came; what was charged is among your credits";
    ended("SOLD_OUT", message)
}

fn changed_license() -> Failure<'static> {
    let message = "the seller changed the license before this payment came; what was charged is among your credits";
    ended("LICENSE_CHANGED", message)
}

fn ended(code: &'static str, message: &str) -> Failure<'static> {
    Failure {
        code,
        message: message.to_owned(),
        hold: HoldEnd::Voided,
    }
}

/// Shows where the payment of an unpaid purchase stands; each change is one of the purchase too.
async fn move_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    state: PurchaseState,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let moved = sqlx::query(
        "update purchases
         set state = $2, version = version + 1
         where id = $1
           and state in ('awaiting_payment', 'payment_unknown')
           and state <> $2",
    )
    .bind(id)
    .bind(state)
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(());
    }
    let data = json!({ "state": state });
    events::append_in_tx(tx, id.0, &format!("purchase.{state}"), trace, data).await
}
