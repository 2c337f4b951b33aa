//! Reads of payouts.

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Earnings, Payout, PayoutFilter};
use crate::ids::{PayoutId, UserId};
use crate::limits::{PAGE_ROWS_MAX, REFUND_SECONDS};

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

/// What a seller has, which no other payout can draw from until the end of the transaction. Sales and
/// refunds may commit meanwhile, so both figures come from one statement: a refund between two would
/// be earned still and maturing no more.
pub(super) async fn lock_earnings_in_tx(
    conn: &mut PgConnection,
    seller: UserId,
    currency: &str,
) -> Result<Earnings, sqlx::Error> {
    sqlx::query("select lock_earnings($1, $2)")
        .bind(seller)
        .bind(currency)
        .execute(&mut *conn)
        .await?;
    sqlx::query_as(
        "select balance_minor + coalesce((
                    select sum(amount_minor)
                    from account_deltas
                    where account_id = accounts.id
                ), 0)::bigint as posted_minor,
                coalesce((
                    select sum(net_minor)
                    from purchases
                    where purchases.seller_id = $1
                      and purchases.currency = $2
                      and state = 'settled'
                      and settled_at > now() - make_interval(secs => $3)
                ), 0)::bigint as maturing_minor
         from accounts
         where owner_id = $1
           and kind = 'seller_earnings'
           and currency = $2",
    )
    .bind(seller)
    .bind(currency)
    .bind(REFUND_SECONDS as f64)
    .fetch_one(conn)
    .await
}
