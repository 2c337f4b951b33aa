//! A purchase that waits for its payment: found, locked, and ended by its buyer or an operator.
//!
//! Locks in order, here and wherever an unpaid purchase is changed: the listing (advisory), the payment,
//! the purchase, accounts.

use super::fail::{Failure, fail_in_tx};
use crate::ids::{PackageId, PurchaseId, UserId};
use crate::ledger::HoldEnd;
use crate::outbox::{Outbox, Tx};
use crate::payments::{self, Payment};
use crate::purchases::supply::lock_listing_in_tx;
use crate::purchases::{Purchase, PurchaseError, PurchaseState, lock_in_tx};

/// The code of a purchase that was cancelled.
const CANCELED: &str = "CANCELED";

/// An unpaid purchase with the payment that it waits for, both locked.
#[derive(Debug)]
pub(super) struct Unpaid {
    pub purchase: Purchase,
    pub payment: Payment,
}

/// Who cancels a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canceler {
    Buyer(UserId),
    Operator,
}

impl Canceler {
    fn message(self) -> &'static str {
        match self {
            Self::Buyer(_) => "the buyer cancelled the purchase; nothing was charged",
            Self::Operator => "an operator cancelled the purchase; nothing was charged",
        }
    }
}

/// Waits for the listing of a purchase. Nobody's else is found.
pub(super) async fn lock_listing_of_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    buyer: Option<UserId>,
) -> Result<(), PurchaseError> {
    let listing: Option<(PackageId, bool)> = sqlx::query_as(
        "select package_id, license_mode <> 'unlimited'
         from purchases
         where id = $1
           and ($2::uuid is null or buyer_id = $2)",
    )
    .bind(id)
    .bind(buyer)
    .fetch_optional(&mut **tx)
    .await?;
    let (package, is_limited) = listing.ok_or(PurchaseError::NotFound)?;
    Ok(lock_listing_in_tx(tx, package, is_limited).await?)
}

/// Locks the payment and the purchase, if it waits for the payer and for nobody else. Its listing is
/// locked.
pub(super) async fn lock_unpaid_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
) -> Result<Unpaid, PurchaseError> {
    let payment = payments::lock_of_purchase_in_tx(tx, id).await?;
    let purchase = lock_in_tx(tx, id).await?.ok_or(PurchaseError::NotFound)?;
    match (payment, purchase.state) {
        (Some(payment), PurchaseState::AwaitingPayment) if !payment.is_under_way() => {
            Ok(Unpaid { purchase, payment })
        }
        (_, PurchaseState::AwaitingPayment | PurchaseState::PaymentUnknown) => {
            Err(PurchaseError::PaymentUnderWay(id))
        }
        (_, state) => Err(PurchaseError::NotUnpaid(state)),
    }
}

/// Ends it, and calls its payment off.
pub(super) async fn end_in_tx(
    tx: &mut Tx,
    unpaid: &Unpaid,
    code: &str,
    message: &str,
    trace: &str,
) -> Result<(), sqlx::Error> {
    payments::commands::call_off_in_tx(tx, &unpaid.payment, trace).await?;
    let failure = Failure {
        code,
        message: message.to_owned(),
        hold: HoldEnd::Voided,
    };
    fail_in_tx(tx, unpaid.purchase.id, &failure, trace).await?;
    Ok(())
}

/// Cancels a purchase that waits for its payer: its supply is free at once, and the payment is cancelled
/// at the provider. Cancelled again, it stays as it is. One whose money may be on its way is refused.
pub async fn cancel(
    outbox: &Outbox,
    id: PurchaseId,
    by: Canceler,
    trace: &str,
) -> Result<(), PurchaseError> {
    let mut tx = outbox.begin().await?;
    let buyer = match by {
        Canceler::Buyer(buyer) => Some(buyer),
        Canceler::Operator => None,
    };
    lock_listing_of_in_tx(&mut tx, id, buyer).await?;
    match lock_unpaid_in_tx(&mut tx, id).await {
        Ok(unpaid) => {
            end_in_tx(&mut tx, &unpaid, CANCELED, by.message(), trace).await?;
            tx.commit().await?;
            Ok(())
        }
        Err(PurchaseError::NotUnpaid(PurchaseState::Failed)) => Ok(()),
        Err(error) => Err(error),
    }
}
