//! Pays what is owed from what has come in.

use uuid::Uuid;

use crate::ids::{ChargebackId, UserId};
use crate::ledger::{self, LedgerError, Posting};
use crate::outbox::Tx;

/// What a buyer owes, locked.
#[derive(Debug)]
pub struct Debts<'a> {
    user: UserId,
    currency: &'a str,
    /// The oldest first.
    each: Vec<(ChargebackId, i64)>,
}

impl<'a> Debts<'a> {
    /// Locks them, before the credits that are to pay them: whoever sets credits aside locks in that order.
    pub async fn lock_in_tx(
        tx: &mut Tx,
        user: UserId,
        currency: &'a str,
    ) -> Result<Self, sqlx::Error> {
        let each = sqlx::query_as(
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
        Ok(Self {
            user,
            currency,
            each,
        })
    }

    /// The buyer's credits pay the oldest debts first, as far as they go. `source` is what brought the credits: it
    /// pays once.
    pub async fn collect_in_tx(
        self,
        tx: &mut Tx,
        source: Uuid,
        trace: &str,
    ) -> Result<(), LedgerError> {
        let owed: i64 = self.each.iter().map(|(_, owed)| owed).sum();
        if owed == 0 {
            return Ok(());
        }
        let available = ledger::lock_credits_in_tx(tx, self.user, self.currency).await?;
        let mut left = available.clamp(0, owed);
        if left == 0 {
            return Ok(());
        }
        let posting = Posting::debt_paid(source, self.user, left);
        ledger::post_in_tx(tx, &posting, self.currency, trace).await?;
        for (id, owed) in self.each {
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
        Ok(())
    }
}
