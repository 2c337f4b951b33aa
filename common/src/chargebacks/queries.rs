//! Reads chargebacks.

use sqlx::{PgExecutor, PgPool};

use super::{Chargeback, ChargebackFilter};
use crate::ids::{PaymentId, UserId};
use crate::limits::PAGE_ROWS_MAX;

/// Chargebacks, with what follows the table.
macro_rules! select_chargebacks {
    ($tail:literal) => {
        concat!(
            "select id, payment_id, user_id, provider_id, kind, reason, amount_minor, currency, state, owed_minor,
                    evidence_due_at, evidence, evidence_sent_at, version, created_at, closed_at
             from chargebacks ",
            $tail
        )
    };
}
pub(super) use select_chargebacks;

/// Newest first.
pub async fn list(
    pool: &PgPool,
    filter: &ChargebackFilter,
) -> Result<Vec<Chargeback>, sqlx::Error> {
    sqlx::query_as(select_chargebacks!(
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

/// Whether a payment that succeeded is to be looked at again: the provider gave notice of a dispute or a refund,
/// or one is not decided.
pub async fn concerns(pool: &PgPool, payment: PaymentId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (
                    select
                    from payment_notices
                    where payment_id = $1
                      and kind ~ '^(charge[.](dispute|refund)|refund[.])'
                )
             or exists (select from chargebacks where payment_id = $1 and closed_at is null)",
    )
    .bind(payment)
    .fetch_one(pool)
    .await
}

/// Those of a payment whose evidence the provider is to get: what they are called there, and the evidence.
pub async fn unsent(
    pool: &PgPool,
    payment: PaymentId,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as(
        "select provider_id, evidence
         from chargebacks
         where payment_id = $1
           and evidence is not null
           and evidence_sent_at is null
           and closed_at is null",
    )
    .bind(payment)
    .fetch_all(pool)
    .await
}

/// What a user owes.
pub async fn owed(executor: impl PgExecutor<'_>, user: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(sum(owed_minor), 0)::bigint
         from chargebacks
         where user_id = $1
           and owed_minor > 0",
    )
    .bind(user)
    .fetch_one(executor)
    .await
}
