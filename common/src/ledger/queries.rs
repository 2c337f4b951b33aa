//! Reads of the ledger.

use sqlx::PgExecutor;
use uuid::Uuid;

use super::{AccountKind, Balance};

/// What an account holds now, deltas included. An account that was never used holds nothing.
pub async fn balance(
    executor: impl PgExecutor<'_>,
    owner: Uuid,
    kind: AccountKind,
    currency: &str,
) -> Result<Balance, sqlx::Error> {
    let balance = sqlx::query_as(
        "select balance_minor + coalesce((
                    select sum(amount_minor)
                    from account_deltas
                    where account_id = accounts.id
                ), 0)::bigint as posted_minor,
                held_minor
         from accounts
         where owner_id = $1
           and kind = $2
           and currency = $3",
    )
    .bind(owner)
    .bind(kind.as_str())
    .bind(currency)
    .fetch_optional(executor)
    .await?;
    Ok(balance.unwrap_or_default())
}
