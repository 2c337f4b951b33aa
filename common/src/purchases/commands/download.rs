//! Records a download before anything is given out for it: the row and the package's counter, in one
//! statement, so neither is ever without the other and no cancelled request leaves half of it.

use sqlx::PgPool;

use crate::ids::{PackagePublicId, PurchaseId, UserId};
use crate::limits::TRENDING_DAYS;
use crate::purchases::{Goods, Handed, PurchaseError, find_goods};

/// What the reader may have, and the record that it was handed out. Sellers who fetch their own goods
/// are not counted, and neither is who goes on with a download that was counted (`resumes`).
pub async fn download(
    pool: &PgPool,
    reader: UserId,
    package_type: &str,
    package: &PackagePublicId,
    handed: Handed,
    resumes: bool,
) -> Result<Goods, PurchaseError> {
    let goods = find_goods(pool, reader, package_type, package).await?;
    if let Some(purchase) = goods.purchase
        && !record(pool, purchase, handed, resumes).await?
    {
        // Refunded since we looked.
        return Err(PurchaseError::NotBought);
    }
    Ok(goods)
}

/// False if the grant has ended.
async fn record(
    pool: &PgPool,
    purchase: PurchaseId,
    handed: Handed,
    resumes: bool,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "with granted as (
             select id, package_id, price_minor
             from purchases
             where id = $1
               and state in ('settled', 'disputed')
               and grant_expires_at > now()
             for share
         ), begun as (
             select *
             from granted
             where not $4
                or not exists (select from downloads where purchase_id = $1 and blob in ($2, 'both'))
         ), fetched as (
             -- An account that paid counts once, and for what is trending once in seven days.
             insert into package_downloaders (purchase_id, package_id)
             select id, package_id
             from begun
             where price_minor > 0
             on conflict (purchase_id) do update
             set counted_on = excluded.counted_on
             where package_downloaders.counted_on <= excluded.counted_on - $3::integer
             returning (first_on = counted_on)::integer as is_first
         ), counted as (
             insert into package_deltas (package_id, downloads, downloaders, recent)
             select package_id, 1, coalesce(is_first, 0), (is_first is not null)::integer
             from begun
             left join fetched on true
         ), noted as (
             insert into downloads (purchase_id, package_id, blob)
             select id, package_id, $2
             from begun
         )
         select exists (select from granted)",
    )
    .bind(purchase)
    .bind(handed.as_str())
    .bind(TRENDING_DAYS)
    .bind(resumes)
    .fetch_one(pool)
    .await
}
