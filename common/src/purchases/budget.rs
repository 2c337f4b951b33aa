//! What a key may buy: its types, its most at once, and its budget within 24 hours, which it shares
//! with the keys that it replaced.

use sqlx::{PgConnection, PgExecutor};

use super::PurchaseError;
use crate::ids::{ApiKeyId, PurchaseId};

#[derive(Debug, sqlx::FromRow)]
struct Limits {
    line_id: ApiKeyId,
    budget_day_minor: Option<i64>,
    budget_purchase_minor: Option<i64>,
    package_types: Option<Vec<String>>,
}

/// Refuses what the key may not buy. Keys of one line wait for each other until the transaction ends.
/// A purchase that is there already counts once.
pub(super) async fn check_in_tx(
    conn: &mut PgConnection,
    key: ApiKeyId,
    package_type: &str,
    price_minor: i64,
    counted: Option<PurchaseId>,
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
        let left_minor = (budget - spent_beside(conn, limits.line_id, counted).await?).max(0);
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

/// What the keys of a line have bought within 24 hours, in minor units. What failed does not count, and
/// neither does what was handed back, unless it was downloaded before: that was spent.
pub async fn spent_by_line(
    executor: impl PgExecutor<'_>,
    line: ApiKeyId,
) -> Result<i64, sqlx::Error> {
    spent_beside(executor, line, None).await
}

/// The same without one purchase. It counts for the key that pays.
async fn spent_beside(
    executor: impl PgExecutor<'_>,
    line: ApiKeyId,
    except: Option<PurchaseId>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(sum(price_minor), 0)::bigint
         from api_keys
         cross join lateral (
             select id, price_minor, state
             from purchases
             where purchases.api_key_id = api_keys.id
               and payer_key_id is null
               and created_at > now() - interval '24 hours'
             union all
             select id, price_minor, state
             from purchases
             where payer_key_id = api_keys.id
               and created_at > now() - interval '24 hours'
         ) as bought
         where line_id = $1
           and state <> 'failed'
           and (state <> 'refunded' or exists (select from downloads where purchase_id = bought.id))
           and bought.id is distinct from $2",
    )
    .bind(line)
    .bind(except)
    .fetch_one(executor)
    .await
}
