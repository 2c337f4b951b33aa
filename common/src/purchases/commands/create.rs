//! Takes a request to buy: supply is taken and the price held, or a card is asked for it; or nothing
//! happens at all.
//!
//! Locks in order: the idempotency key, the listing (advisory), an earlier purchase and its payment, the
//! key's budget (advisory), the purchase, the buyer's account.

use serde_json::Value;
use sqlx::PgPool;

use super::make_way::make_way_in_tx;
use super::terms::{Terms, agree_in_tx};
use crate::chargebacks;
use crate::db::constraint_of;
use crate::events::{self, Category, NewStream};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{PackageId, PaymentId, PurchaseId, UserId};
use crate::jobs::{Cost, JobName, NewJob};
use crate::ledger::{self, AccountKind, LedgerError, Split};
use crate::limits::{CARD_PURCHASE_SECONDS, PURCHASE_SECONDS, PURCHASE_TRIES_MAX};
use crate::outbox::{Outbox, Tx};
use crate::payments::{self, NewPayment};
use crate::purchases::queries::purchase_by_quote;
use crate::purchases::supply::{Supply, look_in_tx};
use crate::purchases::watchers::watch;
use crate::purchases::{
    CHANGED, PurchaseError, PurchaseRequest, PurchaseState, budget, live_purchase,
};

/// The purchase that a request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    pub id: PurchaseId,
    /// True if an earlier request with the same key made it.
    pub is_replay: bool,
}

/// Records the purchase: row, hold or payment, event, job and the answer for its idempotency key, in
/// one transaction. An earlier purchase that ends while it stands in the way makes it try again.
pub async fn create(
    outbox: &Outbox,
    request: &PurchaseRequest,
    fee_basis_points: u16,
    key: Option<&IdempotencyKey>,
) -> Result<Created, PurchaseError> {
    let mut created = try_to_create(outbox, request, fee_basis_points, key).await;
    for _ in 1..PURCHASE_TRIES_MAX {
        if !matches!(created, Err(PurchaseError::EarlierEnded)) {
            break;
        }
        created = try_to_create(outbox, request, fee_basis_points, key).await;
    }
    if matches!(created, Err(PurchaseError::Reserved { .. })) {
        watch(outbox, request).await?;
    }
    created
}

async fn try_to_create(
    outbox: &Outbox,
    request: &PurchaseRequest,
    fee_basis_points: u16,
    key: Option<&IdempotencyKey>,
) -> Result<Created, PurchaseError> {
    let id = PurchaseId::new();
    let (package, is_limited) = find_package(outbox.pool(), request).await?;
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: request.fingerprint(),
            status: 202,
            body: serde_json::json!({ "purchaseId": id }),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return again(&earlier, &answer.fingerprint);
        }
    }
    let owed_minor = chargebacks::owed(&mut *tx, request.buyer).await?;
    if owed_minor > 0 {
        return Err(PurchaseError::Owes { owed_minor });
    }
    let terms = agree_in_tx(&mut tx, request, package, is_limited).await?;
    make_way_in_tx(&mut tx, request, package).await?;
    check_supply_in_tx(&mut tx, &terms).await?;
    let (price_minor, package_type) = (terms.price_minor, &request.package_type);
    budget::check_in_tx(&mut tx, request.api_key, package_type, price_minor, None).await?;
    let split = Split::of(price_minor, fee_basis_points);
    let inserted = insert_in_tx(&mut tx, id, request, &terms, split).await;
    if let Err(error) = inserted {
        drop(tx);
        return Err(explain(outbox.pool(), request, package, error).await?);
    }
    if request.is_by_card(split.price_minor) {
        let begun = terms.as_event(&request.package, PurchaseState::AwaitingPayment);
        events::append_in_tx(
            &mut tx,
            id.0,
            "purchase.requested",
            &request.request_id,
            begun,
        )
        .await?;
        begin_payment_in_tx(&mut tx, id, request, &terms).await?;
    } else {
        if split.price_minor > 0 {
            let (seller, currency) = (terms.seller_id, &terms.currency);
            let held = hold_in_tx(&mut tx, id, request.buyer, seller, price_minor, currency).await;
            if let Err(LedgerError::InsufficientCredits) = held {
                drop(tx);
                let pool = outbox.pool();
                return Err(short_of_credits(pool, request.buyer, price_minor, currency).await?);
            }
            held?;
        }
        let begun = terms.as_event(&request.package, PurchaseState::Pending);
        enqueue_settlement_in_tx(&mut tx, id, request.buyer, &request.request_id, begun).await?;
    }
    tx.announce(CHANGED, id.to_string());
    tx.commit().await?;
    Ok(Created {
        id,
        is_replay: false,
    })
}

/// A card is to pay first.
async fn begin_payment_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    request: &PurchaseRequest,
    terms: &Terms,
) -> Result<(), sqlx::Error> {
    let new = NewPayment {
        user: request.buyer,
        api_key: request.api_key,
        purchase: Some(id),
        amount_minor: terms.price_minor,
        currency: terms.currency.clone(),
        method_id: request.payment_method_id.clone(),
        request_id: request.request_id.clone(),
        webhook_url: None,
    };
    payments::commands::begin_in_tx(tx, PaymentId::new(), &new).await
}

/// Whether there is a license left. What is paid takes it; a card that is asked first takes it once its
/// payment is under way.
async fn check_supply_in_tx(tx: &mut Tx, terms: &Terms) -> Result<(), PurchaseError> {
    if terms.license_mode == "unlimited" {
        return Ok(());
    }
    match look_in_tx(tx, terms.package_id, &terms.license_mode).await? {
        Supply::Free => Ok(()),
        Supply::ReservedUntil(until) => Err(PurchaseError::Reserved { until }),
        Supply::SoldOut => Err(PurchaseError::SoldOut),
        Supply::ChangedLicense => Err(PurchaseError::LicenseChanged),
    }
}

/// How much the buyer lacks.
pub(super) async fn short_of_credits(
    pool: &PgPool,
    buyer: UserId,
    price_minor: i64,
    currency: &str,
) -> Result<PurchaseError, sqlx::Error> {
    let kind = AccountKind::BuyerCredits;
    let balance = ledger::balance(pool, buyer.0, kind, currency).await?;
    Ok(PurchaseError::InsufficientCredits {
        price_minor,
        balance,
    })
}

/// The price is held: the settlement can run.
pub(super) async fn enqueue_settlement_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    buyer: UserId,
    request_id: &str,
    event: Value,
) -> Result<(), sqlx::Error> {
    events::append_in_tx(tx, id.0, "purchase.held", request_id, event).await?;
    tx.enqueue(&NewJob {
        name: JobName::SettlePurchase,
        subject: id.0,
        tenant: Some(buyer),
        cost: Cost::ROWS,
        trace: request_id.to_owned(),
        delay: std::time::Duration::ZERO,
    })
    .await
}

/// The answer that the key got before, if it was to the same content.
fn again(earlier: &StoredAnswer, fingerprint: &[u8]) -> Result<Created, PurchaseError> {
    let id = earlier
        .body
        .get("purchaseId")
        .and_then(|id| id.as_str())
        .and_then(PurchaseId::parse);
    match id {
        Some(id) if earlier.fingerprint == fingerprint => Ok(Created {
            id,
            is_replay: true,
        }),
        _ => Err(PurchaseError::IdempotencyConflict),
    }
}

async fn find_package(
    pool: &PgPool,
    request: &PurchaseRequest,
) -> Result<(PackageId, bool), PurchaseError> {
    let found: Option<(PackageId, bool)> = sqlx::query_as(
        "select id, license_mode <> 'unlimited'
         from packages
         join listings on package_id = id
         where public_id = $1
           and package_type = $2",
    )
    .bind(&request.package)
    .bind(&request.package_type)
    .fetch_optional(pool)
    .await?;
    found.ok_or(PurchaseError::PackageNotFound)
}

async fn insert_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    request: &PurchaseRequest,
    terms: &Terms,
    split: Split,
) -> Result<(), sqlx::Error> {
    let (state, seconds) = if request.is_by_card(split.price_minor) {
        (PurchaseState::AwaitingPayment, CARD_PURCHASE_SECONDS)
    } else {
        (PurchaseState::Pending, PURCHASE_SECONDS)
    };
    sqlx::query(
        "insert into purchases (
             id, package_id, buyer_id, seller_id, api_key_id, listing_version, license_mode, price_minor, fee_minor,
             net_minor, currency, payment_method, quote_id, request_id, webhook_url, state, takes_supply, expires_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16 = 'pending',
                 now() + make_interval(secs => $17))",
    )
    .bind(id)
    .bind(terms.package_id)
    .bind(request.buyer)
    .bind(terms.seller_id)
    .bind(request.api_key)
    .bind(terms.version)
    .bind(&terms.license_mode)
    .bind(split.price_minor)
    .bind(split.fee_minor)
    .bind(split.net_minor)
    .bind(&terms.currency)
    .bind(request.payment_method)
    .bind(request.quote.as_ref().map(|quote| quote.id))
    .bind(&request.request_id)
    .bind(&request.webhook_url)
    .bind(state)
    .bind(seconds as f64)
    .execute(&mut **tx)
    .await?;
    let stream = NewStream {
        id: id.0,
        name: Category::Purchase.stream_of(id),
        audience: &[request.buyer],
    };
    events::open_in_tx(tx, &stream).await
}

/// Sets the price aside, and opens the accounts that the settlement needs.
pub(super) async fn hold_in_tx(
    tx: &mut Tx,
    id: PurchaseId,
    buyer: UserId,
    seller: UserId,
    price_minor: i64,
    currency: &str,
) -> Result<(), LedgerError> {
    ledger::open_in_tx(tx, seller, currency).await?;
    ledger::hold_in_tx(tx, id.0, buyer, price_minor, currency).await
}

/// What the schema's refusal means to the buyer.
async fn explain(
    pool: &PgPool,
    request: &PurchaseRequest,
    package: PackageId,
    error: sqlx::Error,
) -> Result<PurchaseError, PurchaseError> {
    match (constraint_of(&error), &request.quote) {
        (Some("purchases_one_per_buyer"), _) => {
            let earlier = live_purchase(pool, request.buyer, package).await?;
            Ok(earlier.map_or(PurchaseError::EarlierEnded, PurchaseError::BoughtBefore))
        }
        (Some("purchases_quote_once"), Some(quote)) => {
            let earlier = purchase_by_quote(pool, quote.id).await?;
            Ok(earlier.map_or(PurchaseError::Database(error), PurchaseError::QuoteUsed))
        }
        (Some("purchases_exclusive_once" | "listings_not_oversold"), _) => {
            Ok(PurchaseError::SoldOut)
        }
        // Since the terms were read.
        (Some("parties_not_blocked" | "packages_not_taken_down"), _) => {
            Ok(PurchaseError::NotForSale)
        }
        _ => Err(error.into()),
    }
}
