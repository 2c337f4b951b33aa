//! Tells buyer and seller of a settled purchase, and the seller of a listing that it sold out.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::ids::{ApiKeyId, PurchaseId, UserId};
use crate::jobs::{self, Lease, LeaseLost};
use crate::outbox::{Outbox, Tx};
use crate::purchases::{Purchase, download_url, find};
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PurchaseCompleted<'a> {
    event: &'static str,
    purchase_id: PurchaseId,
    package_type: &'a str,
    package_id: &'a str,
    price_minor: i64,
    currency: &'a str,
    download_url: String,
    expires_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListingSoldOut<'a> {
    event: &'static str,
    package_id: &'a str,
    license_mode: &'a str,
    supply: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListingSold<'a> {
    event: &'static str,
    purchase_id: PurchaseId,
    package_id: &'a str,
    package_type: &'a str,
    price_minor: i64,
    fee_minor: i64,
    net_minor: i64,
    currency: &'a str,
}

/// Where a seller hears of a listing that this purchase sold out.
#[derive(Debug, sqlx::FromRow)]
struct SoldOut {
    seller_id: UserId,
    api_key_id: ApiKeyId,
    webhook_url: Option<String>,
    supply: i32,
}

/// Promises the webhooks of a settled purchase. Said twice, it promises once.
pub async fn announce(
    outbox: &Outbox,
    lease: &Lease,
    public_base_url: &str,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    if let Some(purchase) = find(&mut *tx, PurchaseId(lease.subject)).await? {
        tell_buyer_in_tx(&mut tx, &purchase, public_base_url).await?;
        tell_seller_in_tx(&mut tx, &purchase).await?;
        tell_sold_out_in_tx(&mut tx, &purchase).await?;
    }
    tx.commit().await?;
    Ok(Ok(()))
}

async fn tell_buyer_in_tx(
    tx: &mut Tx,
    purchase: &Purchase,
    public_base_url: &str,
) -> Result<(), sqlx::Error> {
    let Some(expires_at) = purchase.grant_expires_at else {
        return Ok(());
    };
    let message = PurchaseCompleted {
        event: EventType::PurchaseCompleted.as_str(),
        purchase_id: purchase.id,
        package_type: &purchase.package_type,
        package_id: purchase.package_public_id.as_str(),
        price_minor: purchase.price_minor,
        currency: &purchase.currency,
        download_url: download_url(
            public_base_url,
            &purchase.package_type,
            &purchase.package_public_id,
        ),
        expires_at: time(expires_at),
    };
    let event = NewEvent {
        owner: purchase.buyer_id,
        subject: purchase.id.0,
        event_type: EventType::PurchaseCompleted,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: (&purchase.request_id).into(),
        address: Address::of(purchase.webhook_url.as_deref(), purchase.api_key_id),
    };
    announce_in_tx(tx, &event).await
}

/// To the seller's endpoints; the address of a listing hears of its end alone.
async fn tell_seller_in_tx(tx: &mut Tx, purchase: &Purchase) -> Result<(), sqlx::Error> {
    let split = purchase.split();
    let message = ListingSold {
        event: EventType::ListingSold.as_str(),
        purchase_id: purchase.id,
        package_id: purchase.package_public_id.as_str(),
        package_type: &purchase.package_type,
        price_minor: split.price_minor,
        fee_minor: split.fee_minor,
        net_minor: split.net_minor,
        currency: &purchase.currency,
    };
    let event = NewEvent {
        owner: purchase.seller_id,
        subject: purchase.id.0,
        event_type: EventType::ListingSold,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: (&purchase.request_id).into(),
        address: None,
    };
    announce_in_tx(tx, &event).await
}

/// The last license of a listing is the one after which as many are settled as there are.
async fn tell_sold_out_in_tx(tx: &mut Tx, purchase: &Purchase) -> Result<(), sqlx::Error> {
    let sold_out: Option<SoldOut> = sqlx::query_as(
        "select seller_id, api_key_id, webhook_url, supply
         from listings
         where package_id = $1
           and supply = (
               select count(*)
               from purchases
               where purchases.package_id = $1
                 and state in ('settled', 'disputed')
                 and settled_at <= $2
           )",
    )
    .bind(purchase.package_id)
    .bind(purchase.settled_at)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(sold_out) = sold_out else {
        return Ok(());
    };
    let message = ListingSoldOut {
        event: EventType::ListingSoldOut.as_str(),
        package_id: purchase.package_public_id.as_str(),
        license_mode: &purchase.license_mode,
        supply: sold_out.supply,
    };
    let event = NewEvent {
        owner: sold_out.seller_id,
        subject: purchase.id.0,
        event_type: EventType::ListingSoldOut,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: (&purchase.request_id).into(),
        address: Address::of(sold_out.webhook_url.as_deref(), sold_out.api_key_id),
    };
    announce_in_tx(tx, &event).await
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
