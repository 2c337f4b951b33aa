//! The functions of the schema through which money moves.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{AccountKind, HoldEnd, LedgerError, Posting};
use crate::ids::UserId;

/// Posts a transfer.
pub async fn post_in_tx(
    conn: &mut PgConnection,
    posting: &Posting,
    currency: &str,
    trace: &str,
) -> Result<(), LedgerError> {
    let owners: Vec<Uuid> = posting.legs.iter().map(|leg| leg.owner).collect();
    let kinds: Vec<&str> = posting
        .legs
        .iter()
        .map(|leg| leg.account.as_str())
        .collect();
    let amounts: Vec<i64> = posting.legs.iter().map(|leg| leg.amount_minor).collect();
    sqlx::query("select ledger_post($1, $2, $3, $4, $5, $6, $7)")
        .bind(posting.kind.as_str())
        .bind(posting.subject)
        .bind(currency)
        .bind(trace)
        .bind(owners)
        .bind(kinds)
        .bind(amounts)
        .execute(conn)
        .await?;
    Ok(())
}

/// Opens the accounts that a settlement with this seller needs, if they are not open.
pub async fn open_in_tx(
    conn: &mut PgConnection,
    seller: UserId,
    currency: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("select ledger_account($1, $2, $5), ledger_account($3, $4, $5)")
        .bind(seller)
        .bind(AccountKind::SellerEarnings.as_str())
        .bind(Uuid::nil())
        .bind(AccountKind::PlatformFees.as_str())
        .bind(currency)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets credits aside for a purchase.
pub async fn hold_in_tx(
    conn: &mut PgConnection,
    purchase: Uuid,
    buyer: UserId,
    amount_minor: i64,
    currency: &str,
) -> Result<(), LedgerError> {
    sqlx::query("select ledger_hold($1, $2, $3, $4)")
        .bind(purchase)
        .bind(buyer)
        .bind(currency)
        .bind(amount_minor)
        .execute(conn)
        .await?;
    Ok(())
}

/// What a buyer can spend, which nobody else spends before this transaction ends.
pub async fn lock_credits_in_tx(
    conn: &mut PgConnection,
    buyer: UserId,
    currency: &str,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select lock_credits($1, $2)")
        .bind(buyer)
        .bind(currency)
        .fetch_one(conn)
        .await
}

/// Gives back what was set aside. False if there is no open hold.
pub async fn release_hold_in_tx(
    conn: &mut PgConnection,
    purchase: Uuid,
    end: HoldEnd,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select ledger_release($1, $2)")
        .bind(purchase)
        .bind(end.as_str())
        .fetch_one(conn)
        .await
}

/// Folds up to that many deltas into the balances of the hot accounts. How many there were.
pub async fn fold(pool: &PgPool, deltas_max: i32) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select ledger_fold($1)")
        .bind(deltas_max)
        .fetch_one(pool)
        .await
}
