//! Reads of payments.

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Payment, PaymentFilter, PaymentSummary};
use crate::ids::{PaymentId, PurchaseId, UserId};
use crate::limits::PAGE_ROWS_MAX;

/// Payments, with what follows the table.
macro_rules! select_payments {
    ($tail:literal) => {
        concat!(
            "select id, user_id, api_key_id, purpose, purchase_id, amount_minor, currency, method_id, state,
                    provider_id, client_secret, reason_code, decline_code, message, request_id, webhook_url,
                    version, looks, sent_at, expires_at, called_off_at, delayed_at, created_at, finished_at
             from payments ",
            $tail
        )
    };
}

/// A payment by its id.
pub async fn find(
    executor: impl PgExecutor<'_>,
    id: PaymentId,
) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query_as(select_payments!("where id = $1"))
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// A payment whose row nobody else changes until the end of the transaction. Lock it before its
/// purchase.
pub async fn lock_in_tx(
    conn: &mut PgConnection,
    id: PaymentId,
) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query_as(select_payments!("where id = $1 for no key update"))
        .bind(id)
        .fetch_optional(conn)
        .await
}

/// The payment of a purchase, if it is paid by card: the one that counts, or the last that was called off.
pub async fn find_of_purchase(
    pool: &PgPool,
    purchase: PurchaseId,
) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query_as(select_payments!(
        "where purchase_id = $1
         order by called_off_at desc nulls first
         limit 1"
    ))
    .bind(purchase)
    .fetch_optional(pool)
    .await
}

/// The payment that a purchase waits for, locked like [`lock_in_tx`].
pub async fn lock_of_purchase_in_tx(
    conn: &mut PgConnection,
    purchase: PurchaseId,
) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query_as(select_payments!(
        "where purchase_id = $1
           and called_off_at is null
         for no key update"
    ))
    .bind(purchase)
    .fetch_optional(conn)
    .await
}

/// How many payments a purchase has begun.
pub async fn count_of_purchase(
    executor: impl PgExecutor<'_>,
    purchase: PurchaseId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select count(*) from payments where purchase_id = $1")
        .bind(purchase)
        .fetch_one(executor)
        .await
}

/// A top-up as its payer sees it.
pub async fn find_top_up(
    pool: &PgPool,
    id: PaymentId,
    user: UserId,
) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query_as(select_payments!(
        "where id = $1
           and user_id = $2
           and purpose = 'top_up'"
    ))
    .bind(id)
    .bind(user)
    .fetch_optional(pool)
    .await
}

/// A user's top-ups older than that one, newest first.
pub async fn list_top_ups(
    pool: &PgPool,
    user: UserId,
    before: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>, sqlx::Error> {
    sqlx::query_as(select_payments!(
        "where user_id = $1
           and purpose = 'top_up'
           and ($2::uuid is null or id < $2)
         order by id desc
         limit $3"
    ))
    .bind(user)
    .bind(before)
    .bind(limit.clamp(1, PAGE_ROWS_MAX))
    .fetch_all(pool)
    .await
}

/// Payments for operators, with what follows the table.
macro_rules! select_summaries {
    ($tail:literal) => {
        concat!(
            "select id, user_id, purpose, purchase_id, amount_minor, currency, state, provider_id, reason_code,
                    decline_code, message, request_id, looks, sent_at, expires_at, created_at, finished_at
             from payments ",
            $tail
        )
    };
}

/// Payments for operators, newest first.
pub async fn list(
    pool: &PgPool,
    filter: &PaymentFilter,
) -> Result<Vec<PaymentSummary>, sqlx::Error> {
    sqlx::query_as(select_summaries!(
        "where ($1::text is null or state = $1)
           and ($2::uuid is null or id < $2)
         order by id desc
         limit $3"
    ))
    .bind(filter.state)
    .bind(filter.before)
    .bind(filter.limit.clamp(1, PAGE_ROWS_MAX))
    .fetch_all(pool)
    .await
}

/// A payment for operators.
pub async fn summary(pool: &PgPool, id: PaymentId) -> Result<Option<PaymentSummary>, sqlx::Error> {
    sqlx::query_as(select_summaries!("where id = $1"))
        .bind(id)
        .fetch_optional(pool)
        .await
}
