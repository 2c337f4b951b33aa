//! Receipts: what was bought, from what is stored, so that the same purchase gives the same claims.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{PurchaseError, PurchaseState};
use crate::ids::{PackagePublicId, PurchaseId, UserId};
use crate::money::decimal_text;
use crate::signatures::Receipt;

#[derive(Debug, sqlx::FromRow)]
struct Row {
    buyer_id: UserId,
    seller_id: UserId,
    public_id: PackagePublicId,
    package_type: String,
    license_mode: String,
    price_minor: i64,
    currency: String,
    package_sha256: Vec<u8>,
    w_matrix_sha256: Vec<u8>,
    state: PurchaseState,
    settled_at: Option<DateTime<Utc>>,
    refunded_at: Option<DateTime<Utc>>,
}

/// The claims of a purchase's receipt, for its buyer and its seller. A purchase that was never
/// settled has none.
pub async fn find_receipt(
    pool: &PgPool,
    id: PurchaseId,
    reader: UserId,
    issuer: &str,
) -> Result<Receipt, PurchaseError> {
    let row = find_row(pool, id, reader)
        .await?
        .ok_or(PurchaseError::NotFound)?;
    let settled_at = row.settled_at.ok_or(PurchaseError::NotGranted(row.state))?;
    let package_type = row
        .package_type
        .parse()
        .map_err(|_| PurchaseError::Defect(format!("the type {} is unknown", row.package_type)))?;
    Ok(Receipt {
        iss: issuer.to_owned(),
        sub: id.to_string(),
        iat: settled_at.timestamp(),
        purchase_id: id.to_string(),
        buyer_id: row.buyer_id,
        seller_id: row.seller_id,
        package_id: row.public_id,
        package_type,
        license_mode: row.license_mode,
        amount_minor: row.price_minor,
        currency: row.currency,
        price: decimal_text(row.price_minor),
        package_sha256: hex::encode(row.package_sha256),
        w_matrix_sha256: hex::encode(row.w_matrix_sha256),
        settled_at,
        refunded_at: row.refunded_at,
    })
}

async fn find_row(
    pool: &PgPool,
    id: PurchaseId,
    reader: UserId,
) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as(
        "select buyer_id, seller_id, public_id, package_type, license_mode, price_minor, currency,
                package_object.sha256 as package_sha256, w_matrix_object.sha256 as w_matrix_sha256,
                purchases.state, settled_at,
                case when purchases.state = 'refunded' then (
                    select min(at)
                    from events
                    where stream = purchases.id
                      and event_type = 'purchase.refunded'
                ) end as refunded_at
         from purchases
         join packages on packages.id = package_id
         join objects as package_object on package_object.key = package_key
         join objects as w_matrix_object on w_matrix_object.key = w_matrix_key
         where purchases.id = $1
           and $2 in (buyer_id, seller_id)",
    )
    .bind(id)
    .bind(reader)
    .fetch_optional(pool)
    .await
}
