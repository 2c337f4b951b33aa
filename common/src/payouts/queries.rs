//! Reads of payouts.

use sqlx::{PgExecutor, PgPool};

use super::{Payout, PayoutFilter};
use crate::ids::{PayoutId, UserId};
use crate::limits::PAGE_ROWS_MAX;

/// A payout by its id; with a seller, only if it is that seller's.
pub async fn find(
    executor: impl PgExecutor<'_>,
    id: PayoutId,
    seller: Option<UserId>,
) -> Result<Option<Payout>, sqlx::Error> {
    sqlx::query_as(
        "select id, seller_id, amount_minor, currency, state, reference, reason, requested_at, finished_at
         from payouts
         where id = $1
           and ($2::uuid is null or seller_id = $2)",
    )
    .bind(id)
    .bind(seller)
    .fetch_optional(executor)
    .await
}

/// A page, newest first.
pub async fn list(pool: &PgPool, filter: &PayoutFilter) -> Result<Vec<Payout>, sqlx::Error> {
    sqlx::query_as(
        "select id, seller_id, amount_minor, currency, state, reference, reason, requested_at, finished_at
         from payouts
         where ($1::uuid is null or seller_id = $1)
           and ($2::text is null or state = $2)
           and ($3::uuid is null or id < $3)
         order by id desc
         limit $4",
    )
    .bind(filter.seller)
    .bind(filter.state)
    .bind(filter.before)
    .bind(filter.limit.clamp(1, PAGE_ROWS_MAX))
    .fetch_all(pool)
    .await
}
