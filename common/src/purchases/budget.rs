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
    let limits = limits_in_tx(conn, key).await?;
    let types = limits.package_types.as_ref();
    if types.is_some_and(|types| types.iter().all(|each| each != package_type)) {
        return Err(PurchaseError::TypeNotAllowed);
    }
    check_price_in_tx(conn, &limits, price_minor, counted).await
}

/// The same for a task, which is no package: a key that may buy packages of certain types alone asks for none.
pub async fn check_task_in_tx(
    conn: &mut PgConnection,
    key: ApiKeyId,
    price_minor: i64,
) -> Result<(), PurchaseError> {
    let limits = limits_in_tx(conn, key).await?;
    if limits.package_types.is_some() {
        return Err(PurchaseError::TypeNotAllowed);
    }
    check_price_in_tx(conn, &limits, price_minor, None).await
}

async fn limits_in_tx(conn: &mut PgConnection, key: ApiKeyId) -> Result<Limits, sqlx::Error> {
    sqlx::query_as(
        "select line_id, budget_day_minor, budget_purchase_minor, package_types
         from api_keys
         where id = $1",
    )
    .bind(key)
    .fetch_one(conn)
    .await
}

async fn check_price_in_tx(
    conn: &mut PgConnection,
    limits: &Limits,
    price_minor: i64,
    counted: Option<PurchaseId>,
) -> Result<(), PurchaseError> {
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

/// What the keys of a line have spent within 24 hours, in minor units. Purchases that failed do not count, and
/// neither does what was handed back, unless it was downloaded before: that was spent. Of a task counts what is
/// held for it, or was paid.
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
        "select coalesce(sum(price_minor), 0)::bigint + (
             select coalesce(sum(coalesce(paid_minor, amount_minor)), 0)::bigint
             from api_keys
             join agent_tasks on agent_tasks.api_key_id = api_keys.id
             where line_id = $1
               and agent_tasks.created_at > now() - interval '24 hours'
               and state not in ('cancelled', 'expired', 'resolved_refund')
         )
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
