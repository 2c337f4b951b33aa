//! An earlier purchase of the same package by the same buyer: one that waits for its payer makes way for a
//! request that wants to pay otherwise, any other stands in the way.

use super::unpaid::{end_in_tx, lock_unpaid_in_tx};
use crate::ids::{PackageId, PurchaseId};
use crate::outbox::Tx;
use crate::purchases::{PaymentMethod, PurchaseError, PurchaseRequest, PurchaseState};

/// The code of a purchase that made way.
const SUPERSEDED: &str = "SUPERSEDED";

/// Ends the earlier purchase, if it waits for its payer and the request is to be paid by other means. The
/// listing is locked.
pub(super) async fn make_way_in_tx(
    tx: &mut Tx,
    request: &PurchaseRequest,
    package: PackageId,
) -> Result<(), PurchaseError> {
    let earlier: Option<(PurchaseId, PurchaseState)> = sqlx::query_as(
        "select id, state
         from purchases
         where buyer_id = $1
           and package_id = $2
           and state not in ('failed', 'refunded')",
    )
    .bind(request.buyer)
    .bind(package)
    .fetch_optional(&mut **tx)
    .await?;
    let Some((id, state)) = earlier else {
        return Ok(());
    };
    if !state.is_unpaid() {
        return Err(PurchaseError::BoughtBefore(id));
    }
    let unpaid = match lock_unpaid_in_tx(tx, id).await {
        // It ended or was paid since we looked: the insertion says which.
        Err(PurchaseError::NotUnpaid(_)) => return Ok(()),
        locked => locked?,
    };
    let is_same = request.payment_method == PaymentMethod::Stripe
        && request.payment_method_id == unpaid.payment.method_id;
    if is_same {
        return Err(PurchaseError::AwaitsPayment(id));
    }
    let message =
        "the buyer asked for the package again, to be paid otherwise; nothing was charged";
    end_in_tx(tx, &unpaid, SUPERSEDED, message, &request.request_id).await?;
    if let Some(quote) = &request.quote {
        // It was not spent on anything.
        sqlx::query("update purchases set quote_id = null where id = $1 and quote_id = $2")
            .bind(id)
            .bind(quote.id)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
