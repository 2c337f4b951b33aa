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
    /// Its writer owns the package still: it was not refunded.
    pub is_verified: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The reviews of a package, newest first, from behind `before` on.
pub async fn list_reviews(
    pool: &PgPool,
    package: PackageId,
    before: Option<ReviewId>,
    limit: i64,
) -> Result<Vec<Review>, sqlx::Error> {
    sqlx::query_as(
        "select reviews.id, reviews.buyer_id, name as buyer_name, stars, body, reply, replied_at,
                exists (
                    select
                    from purchases
                    where purchases.buyer_id = reviews.buyer_id
                      and purchases.package_id = reviews.package_id
                      and state in ('settled', 'disputed')
                ) as is_verified,
                reviews.created_at, reviews.updated_at
         from reviews
         join users on users.id = reviews.buyer_id
         where reviews.package_id = $1
           and ($2::uuid is null or reviews.id < $2)
         order by reviews.id desc
         limit $3",
    )
    .bind(package)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await
}
