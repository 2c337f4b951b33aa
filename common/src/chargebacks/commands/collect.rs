//! Pays what is owed from what has come in.

use uuid::Uuid;

use crate::ids::{ChargebackId, UserId};
use crate::ledger::{self, LedgerError, Posting};
use crate::outbox::Tx;

/// Locks what a buyer owes, before the credits that are to pay it: whoever sets credits aside locks in that order.
pub async fn lock_owed_in_tx(tx: &mut Tx, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select
         from chargebacks
         where user_id = $1
           and owed_minor > 0
         order by id
         for no key update",
    )
    .bind(user)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The buyer's credits pay the oldest debts first, as far as they go. `source` is what brought the credits: it
/// pays once. The caller has locked what is owed. How much was paid.
pub async fn collect_in_tx(
    tx: &mut Tx,
    user: UserId,
    source: Uuid,
    currency: &str,
    trace: &str,
) -> Result<i64, LedgerError> {
    let owing: Vec<(ChargebackId, i64)> = sqlx::query_as(
        "select id, owed_minor
         from chargebacks
         where user_id = $1
           and currency = $2
           and owed_minor > 0
         order by id
         for no key update",
    )
    .bind(user)
    .bind(currency)
    .fetch_all(&mut **tx)
    .await?;
    let owed: i64 = owing.iter().map(|(_, owed)| owed).sum();
    if owed == 0 {
        return Ok(0);
    }
    let available = ledger::lock_credits_in_tx(tx, user, currency).await?;
    let paid = available.clamp(0, owed);
    if paid == 0 {
        return Ok(0);
    }
    let posting = Posting::debt_paid(source, user, paid);
    ledger::post_in_tx(tx, &posting, currency, trace).await?;
    let mut left = paid;
    for (id, owed) in owing {
        let part = left.min(owed);
        left -= part;
        sqlx::query(
            "update chargebacks
             set owed_minor = owed_minor - $2, version = version + 1
             where id = $1
               and $2 > 0",
        )
        .bind(id)
        .bind(part)
        .execute(&mut **tx)
        .await?;
    }
    Ok(paid)
}
