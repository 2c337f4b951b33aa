//! Pays an unpaid purchase by other means: another card, or the buyer's credits. Its terms stay.
//!
//! Locks in order: the listing (advisory), the payment, the purchase, the key's budget (advisory), accounts.

use serde_json::json;

use super::create::{enqueue_settlement_in_tx, hold_in_tx, short_of_credits};
use super::unpaid::{Unpaid, lock_listing_of_in_tx, lock_unpaid_in_tx};
use crate::db::constraint_of;
use crate::events;
use crate::ids::{ApiKeyId, PaymentId, PurchaseId, UserId};
use crate::ledger::LedgerError;
use crate::limits::{CARD_PURCHASE_SECONDS, PAYMENTS_PER_PURCHASE_MAX, PURCHASE_SECONDS};
use crate::outbox::{Outbox, Tx};
use crate::payments::{self, NewPayment};
use crate::purchases::model::check_card;
use crate::purchases::supply::{Supply, look_in_tx};
use crate::purchases::{CHANGED, PaymentMethod, Purchase, PurchaseError, PurchaseState, budget};

/// How a purchase is to be paid now.
#[derive(Debug, Clone)]
pub struct PayRequest {
    pub purchase: PurchaseId,
    pub buyer: UserId,
    /// The key that pays; its budget counts the purchase from now on.
    pub api_key: ApiKeyId,
    pub payment_method: PaymentMethod,
    /// The card as its provider calls it; without one the buyer chooses at the provider.
    pub payment_method_id: Option<String>,
    /// Whether there is a card provider.
    pub are_cards_on: bool,
    pub request_id: String,
}

/// Calls the payment off and begins another, or holds credits and enqueues the settlement, in one
/// transaction. A purchase that is paid, or waits for that card already, stays as it is.
pub async fn pay_otherwise(outbox: &Outbox, request: &PayRequest) -> Result<(), PurchaseError> {
    let mut tx = outbox.begin().await?;
    lock_listing_of_in_tx(&mut tx, request.purchase, Some(request.buyer)).await?;
    let unpaid = match lock_unpaid_in_tx(&mut tx, request.purchase).await {
        Ok(unpaid) => unpaid,
        Err(PurchaseError::NotUnpaid(state)) if is_paid(state) => return Ok(()),
        Err(error) => return Err(error),
    };
    let purchase = &unpaid.purchase;
    budget::check_in_tx(
        &mut tx,
        request.api_key,
        &purchase.package_type,
        purchase.price_minor,
        Some(purchase.id),
    )
    .await?;
    match request.payment_method {
        PaymentMethod::Stripe => {
            if unpaid.payment.method_id == request.payment_method_id {
                return Ok(());
            }
            pay_by_card_in_tx(&mut tx, &unpaid, request).await?;
        }
        PaymentMethod::Credits => {
            let paid = pay_with_credits_in_tx(&mut tx, &unpaid, request).await;
            if let Err(PurchaseError::InsufficientCredits { .. }) = paid {
                drop(tx);
                let (price_minor, currency) = (purchase.price_minor, &purchase.currency);
                let pool = outbox.pool();
                return Err(short_of_credits(pool, request.buyer, price_minor, currency).await?);
            }
            paid?;
        }
    }
    tx.announce(CHANGED, request.purchase.to_string());
    tx.commit().await?;
    Ok(())
}

fn is_paid(state: PurchaseState) -> bool {
    state == PurchaseState::Pending || state.is_granted()
}

async fn pay_by_card_in_tx(
    tx: &mut Tx,
    unpaid: &Unpaid,
    request: &PayRequest,
) -> Result<(), PurchaseError> {
    let purchase = &unpaid.purchase;
    check_card(request.are_cards_on, purchase.price_minor)?;
    let begun = payments::count_of_purchase(&mut **tx, purchase.id).await?;
    if begun >= PAYMENTS_PER_PURCHASE_MAX {
        return Err(PurchaseError::TooManyPayments);
    }
    payments::commands::call_off_in_tx(tx, &unpaid.payment, &request.request_id).await?;
    let new = NewPayment {
        user: request.buyer,
        api_key: request.api_key,
        purchase: Some(purchase.id),
        amount_minor: purchase.price_minor,
        currency: purchase.currency.clone(),
        method_id: request.payment_method_id.clone(),
        request_id: request.request_id.clone(),
        webhook_url: None,
    };
    payments::commands::begin_in_tx(tx, PaymentId::new(), &new).await?;
    let seconds = CARD_PURCHASE_SECONDS;
    move_in_tx(
        tx,
        purchase,
        PurchaseState::AwaitingPayment,
        seconds,
        request,
    )
    .await?;
    let data = json!({ "state": PurchaseState::AwaitingPayment });
    let trace = &request.request_id;
    events::append_in_tx(tx, purchase.id.0, "purchase.awaiting_payment", trace, data).await?;
    Ok(())
}

async fn pay_with_credits_in_tx(
    tx: &mut Tx,
    unpaid: &Unpaid,
    request: &PayRequest,
) -> Result<(), PurchaseError> {
    let purchase = &unpaid.purchase;
    if !purchase.takes_supply {
        match look_in_tx(tx, purchase.package_id, &purchase.license_mode).await? {
            Supply::Free => {}
            Supply::ReservedUntil(until) => return Err(PurchaseError::Reserved { until }),
            Supply::SoldOut => return Err(PurchaseError::SoldOut),
            Supply::ChangedLicense => return Err(PurchaseError::LicenseChanged),
        }
    }
    payments::commands::call_off_in_tx(tx, &unpaid.payment, &request.request_id).await?;
    let moved = move_in_tx(
        tx,
        purchase,
        PurchaseState::Pending,
        PURCHASE_SECONDS,
        request,
    )
    .await;
    moved.map_err(|error| match constraint_of(&error) {
        Some("purchases_exclusive_once" | "listings_not_oversold") => PurchaseError::SoldOut,
        _ => error.into(),
    })?;
    let (price_minor, currency) = (purchase.price_minor, &purchase.currency);
    let (id, seller) = (purchase.id, purchase.seller_id);
    match hold_in_tx(tx, id, request.buyer, seller, price_minor, currency).await {
        Err(LedgerError::InsufficientCredits) => {
            // The transaction is broken; its caller looks how much is missing.
            return Err(PurchaseError::InsufficientCredits {
                price_minor,
                balance: crate::ledger::Balance::default(),
            });
        }
        held => held?,
    }
    let event = json!({ "state": PurchaseState::Pending });
    Ok(enqueue_settlement_in_tx(tx, id, request.buyer, &request.request_id, event).await?)
}

/// What is paid takes supply; a card keeps what it has reserved.
async fn move_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    state: PurchaseState,
    seconds: u64,
    request: &PayRequest,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update purchases
         set state = $2, takes_supply = takes_supply or $2 = 'pending', payment_method = $3,
             payer_key_id = nullif($4, api_key_id), expires_at = now() + make_interval(secs => $5),
             version = version + 1
         where id = $1",
    )
    .bind(purchase.id)
    .bind(state)
    .bind(request.payment_method)
    .bind(request.api_key)
    .bind(seconds as f64)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
