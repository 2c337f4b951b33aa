//! What a key may buy: its types, its most at once, and its budget within 24 hours, which it shares
//! with the keys that it replaced.

use sqlx::{PgConnection, PgExecutor};

use super::PurchaseError;
use crate::ids::ApiKeyId;

#[derive(Debug, sqlx::FromRow)]
struct Limits {
    line_id: ApiKeyId,
    budget_day_minor: Option<i64>,
    budget_purchase_minor: Option<i64>,
    package_types: Option<Vec<String>>,
}

/// Refuses what the key may not buy. Keys of one line wait for each other until the transaction ends.
pub(super) async fn check_in_tx(
    conn: &mut PgConnection,
    key: ApiKeyId,
    package_type: &str,
    price_minor: i64,
) -> Result<(), PurchaseError> {
    let limits: Limits = sqlx::query_as(
        "select line_id, budget_day_minor, budget_purchase_minor, package_types
         from api_keys
         where id = $1",
    )
    .bind(key)
    .fetch_one(&mut *conn)
    .await?;
    let types = limits.package_types.as_ref();
    if types.is_some_and(|types| types.iter().all(|each| each != package_type)) {
        return Err(PurchaseError::TypeNotAllowed);
    }
    if let Some(budget) = limits.budget_purchase_minor
        && price_minor > budget
    {
        return Err(PurchaseError::BeyondBudget {
            budget_minor: budget,
            left_minor: budget,
            price_minor,
        });
    }
    if let Some(budget) = limits.budget_day_minor {
        sqlx::query("select pg_advisory_xact_lock(uuid_hash_extended($1, 2))")
            .bind(limits.line_id)
            .execute(&mut *conn)
            .await?;
        let left_minor = (budget - spent_by_line(conn, limits.line_id).await?).max(0);
        if price_minor > left_minor {
            return Err(PurchaseError::BeyondBudget {
                budget_minor: budget,
                left_minor,
                price_minor,
            });
        }
    }
    Ok(())
}

/// What the keys of a line have bought within 24 hours, in minor units; what failed or was given back
/// does not count.
pub async fn spent_by_line(
    executor: impl PgExecutor<'_>,
    line: ApiKeyId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(sum(price_minor), 0)::bigint
         from api_keys
         join purchases on purchases.api_key_id = api_keys.id
         where line_id = $1
           and purchases.created_at > now() - interval '24 hours'
           and state not in ('failed', 'refunded')",
    )
    .bind(line)
    .fetch_one(executor)
    .await
}
