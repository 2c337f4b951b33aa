//! Buyers say how a package is, sellers answer, and anybody marks one to come back to.

use crate::catalog::{CATALOGUE, CatalogError};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{PackageId, ReviewId, UserId};
use crate::outbox::Outbox;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Writes the buyer's review of a package, or changes it. Only who has bought it may.
pub async fn review(
    outbox: &Outbox,
    buyer: UserId,
    package: PackageId,
    stars: i16,
    body: Option<&str>,
    key: Option<&IdempotencyKey>,
) -> Result<(), CatalogError> {
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let content = json!([package, stars, body]).to_string();
        let answer = StoredAnswer {
            fingerprint: Sha256::digest(content.as_bytes()).to_vec(),
            status: 200,
            body: json!({}),
        };
        match idempotency::record_in_tx(&mut tx, key, &answer).await? {
            Some(earlier) if earlier.fingerprint == answer.fingerprint => return Ok(()),
            Some(_) => return Err(CatalogError::IdempotencyConflict),
            None => {}
        }
    }
    let has_bought: bool = sqlx::query_scalar(
        "select exists (
             select
             from purchases
             where buyer_id = $1
               and package_id = $2
               and state in ('settled', 'disputed')
         )",
    )
    .bind(buyer)
    .bind(package)
    .fetch_one(&mut *tx)
    .await?;
    if !has_bought {
        return Err(CatalogError::NotBought);
    }
    sqlx::query(
        "insert into reviews (id, package_id, buyer_id, stars, body)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint reviews_one_per_buyer do update
         set stars = excluded.stars, body = excluded.body, version = reviews.version + 1, updated_at = now()",
    )
    .bind(ReviewId::new())
    .bind(package)
    .bind(buyer)
    .bind(stars)
    .bind(body)
    .execute(&mut *tx)
    .await?;
    tx.outdate(CATALOGUE);
    tx.commit().await?;
    Ok(())
}

/// Takes the buyer's review back.
pub async fn withdraw_review(
    outbox: &Outbox,
    buyer: UserId,
    package: PackageId,
) -> Result<(), CatalogError> {
    let mut tx = outbox.begin().await?;
    let deleted = sqlx::query("delete from reviews where package_id = $1 and buyer_id = $2")
        .bind(package)
        .bind(buyer)
        .execute(&mut *tx)
        .await?;
    if deleted.rows_affected() == 0 {
        return Err(CatalogError::Unknown("review"));
    }
    tx.outdate(CATALOGUE);
    tx.commit().await?;
    Ok(())
}

/// The seller of the package answers a review; `None` takes the answer back.
pub async fn reply_to_review(
    outbox: &Outbox,
    seller: UserId,
    review: ReviewId,
    reply: Option<&str>,
) -> Result<(), CatalogError> {
    let mut tx = outbox.begin().await?;
    let replied = sqlx::query(
        "update reviews
         set reply = $3, replied_at = case when $3 is not null then now() end
         from packages
         where reviews.id = $1
           and packages.id = package_id
           and owner_id = $2",
    )
    .bind(review)
    .bind(seller)
    .bind(reply)
    .execute(&mut *tx)
    .await?;
    if replied.rows_affected() == 0 {
        return Err(CatalogError::Unknown("review"));
    }
    tx.outdate(CATALOGUE);
    tx.commit().await?;
    Ok(())
}

/// Marks a package for a user, or takes the mark away; doing so again changes nothing.
pub async fn set_star(
    outbox: &Outbox,
    user: UserId,
    package: PackageId,
    is_starred: bool,
) -> Result<(), CatalogError> {
    let mut tx = outbox.begin().await?;
    let statement = if is_starred {
        "insert into stars (package_id, user_id) values ($1, $2) on conflict do nothing returning is_counted"
    } else {
        "delete from stars where package_id = $1 and user_id = $2 returning is_counted"
    };
    let is_counted: Option<bool> = sqlx::query_scalar(statement)
        .bind(package)
        .bind(user)
        .fetch_optional(&mut *tx)
        .await?;
    // One without weight changes nothing that others are shown, and so costs them nothing.
    if is_counted == Some(true) {
        tx.outdate(CATALOGUE);
    }
    tx.commit().await?;
    Ok(())
}
