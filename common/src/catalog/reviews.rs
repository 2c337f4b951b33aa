//! What buyers say: one review each about what they bought, and the seller's answer to it.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::ids::{PackageId, ReviewId, UserId};

/// A review as everybody sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Review {
    pub id: ReviewId,
    pub buyer_id: UserId,
    pub buyer_name: String,
    pub stars: i16,
    pub body: Option<String>,
    pub reply: Option<String>,
    pub replied_at: Option<DateTime<Utc>>,
    /// Its writer owns the package: it was not refunded.
    pub is_verified: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The reviews of a package by those who own it, newest first, from behind `before` on. Whoever was
/// refunded sees the own one still, and nobody else does.
pub async fn list_reviews(
    pool: &PgPool,
    package: PackageId,
    viewer: Option<UserId>,
    before: Option<ReviewId>,
    limit: i64,
) -> Result<Vec<Review>, sqlx::Error> {
    sqlx::query_as(
        "select reviews.id, reviews.buyer_id, name as buyer_name, stars, body, reply, replied_at, is_verified,
                reviews.created_at, reviews.updated_at
         from reviews
         join users on users.id = reviews.buyer_id
         cross join lateral (
             select exists (
                 select
                 from purchases
                 where purchases.buyer_id = reviews.buyer_id
                   and purchases.package_id = reviews.package_id
                   and state in ('settled', 'disputed')
             ) as is_verified
         ) as purchase
         where reviews.package_id = $1
           and (is_verified or reviews.buyer_id = $2)
           and ($3::uuid is null or reviews.id < $3)
         order by reviews.id desc
         limit $4",
    )
    .bind(package)
    .bind(viewer)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await
}
