//! Writes down what the provider lists for a payment, and moves the money that follows from it.

use chrono::{DateTime, Utc};

use super::tell::tell_in_tx;
use crate::cards::{Reversal, ReversalState};
use crate::chargebacks::queries::select_chargebacks;
use crate::chargebacks::{Chargeback, ChargebackError};
use crate::events;
use crate::ids::ChargebackId;
use crate::jobs::{self, Lease, LeaseLost};
use crate::ledger::{self, Posting};
use crate::outbox::{Outbox, Tx};
use crate::payments::Payment;

/// Ends a run of the payment's job: the job and what became of each reversal, in one transaction.
pub async fn record(
    outbox: &Outbox,
    lease: &Lease,
    payment: &Payment,
    reversals: &[Reversal],
) -> Result<Result<(), LeaseLost>, ChargebackError> {
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    for reversal in reversals {
        if !reversal.currency.eq_ignore_ascii_case(&payment.currency) || reversal.amount_minor < 1 {
            tracing::error!(payment.id = %payment.id, reversal.id, "A reversal does not fit its payment");
            continue;
        }
        let (before, is_new) = find_or_note_in_tx(&mut tx, payment, reversal).await?;
        let now = follow_in_tx(&mut tx, &before, reversal, &lease.trace).await?;
        if is_new || now.state != before.state {
            let data = serde_json::json!({ "chargeback": now.id, "state": now.state, "owedMinor": now.owed_minor });
            let (subject, trace) = (payment.id.0, &lease.trace);
            events::append_in_tx(&mut tx, subject, "payment.reversed", trace, data).await?;
            tell_in_tx(&mut tx, &now, payment, trace).await?;
        }
    }
    tx.commit().await?;
    Ok(Ok(()))
}

/// Its row, locked, and whether it is new: an inquiry, until its money has moved.
async fn find_or_note_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    reversal: &Reversal,
) -> Result<(Chargeback, bool), sqlx::Error> {
    let noted = sqlx::query(
        "insert into chargebacks (id, payment_id, user_id, provider_id, kind, reason, amount_minor, currency)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (provider_id) do nothing",
    )
    .bind(ChargebackId::new())
    .bind(payment.id)
    .bind(payment.user_id)
    .bind(&reversal.id)
    .bind(reversal.kind)
    .bind(&reversal.reason)
    .bind(reversal.amount_minor)
    .bind(&payment.currency)
    .execute(&mut **tx)
    .await?;
    let found = sqlx::query_as(select_chargebacks!(
        "where provider_id = $1 for no key update"
    ))
    .bind(&reversal.id)
    .fetch_one(&mut **tx)
    .await?;
    Ok((found, noted.rows_affected() == 1))
}

/// Moves the money of each step between where it stood and where it stands.
async fn follow_in_tx(
    tx: &mut Tx,
    before: &Chargeback,
    reversal: &Reversal,
    trace: &str,
) -> Result<Chargeback, ChargebackError> {
    use ReversalState::{Inquiry, Lost, Open, Won};
    let mut now = before.clone();
    match (before.state, reversal.state) {
        (Inquiry, Open | Lost) => {
            set_aside_in_tx(tx, &mut now, trace).await?;
            if reversal.state == Lost {
                lose_in_tx(tx, &mut now, trace).await?;
            }
        }
        (Inquiry, Won) => now.state = Won,
        (Open, Won) => give_back_in_tx(tx, &mut now, trace).await?,
        (Open, Lost) => lose_in_tx(tx, &mut now, trace).await?,
        (one, other) if one == other => {}
        (one, other) => {
            tracing::error!(chargeback.id = %before.id, ?one, ?other, "The provider went back on its word");
            return Ok(now);
        }
    }
    write_in_tx(tx, &now, reversal.evidence_due_at).await?;
    Ok(now)
}

async fn set_aside_in_tx(
    tx: &mut Tx,
    now: &mut Chargeback,
    trace: &str,
) -> Result<(), ChargebackError> {
    let available = ledger::lock_credits_in_tx(tx, now.user_id, &now.currency).await?;
    now.owed_minor = now.amount_minor - available.clamp(0, now.amount_minor);
    let posting = Posting::chargeback(now.id.0, now.user_id, now.amount_minor, now.owed_minor);
    ledger::post_in_tx(tx, &posting, &now.currency, trace).await?;
    now.state = ReversalState::Open;
    Ok(())
}

async fn give_back_in_tx(
    tx: &mut Tx,
    now: &mut Chargeback,
    trace: &str,
) -> Result<(), ChargebackError> {
    let posting = Posting::chargeback_won(now.id.0, now.user_id, now.amount_minor, now.owed_minor);
    ledger::post_in_tx(tx, &posting, &now.currency, trace).await?;
    (now.state, now.owed_minor) = (ReversalState::Won, 0);
    Ok(())
}

async fn lose_in_tx(tx: &mut Tx, now: &mut Chargeback, trace: &str) -> Result<(), ChargebackError> {
    let posting = Posting::chargeback_lost(now.id.0, now.amount_minor);
    ledger::post_in_tx(tx, &posting, &now.currency, trace).await?;
    now.state = ReversalState::Lost;
    Ok(())
}

async fn write_in_tx(
    tx: &mut Tx,
    now: &Chargeback,
    evidence_due_at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update chargebacks
         set state = $2,
             owed_minor = $3,
             evidence_due_at = coalesce($4, evidence_due_at),
             closed_at = case when $2 in ('won', 'lost') then coalesce(closed_at, now()) end,
             version = version + 1
         where id = $1
           and (state, owed_minor, evidence_due_at) is distinct from ($2, $3, coalesce($4, evidence_due_at))",
    )
    .bind(now.id)
    .bind(now.state)
    .bind(now.owed_minor)
    .bind(evidence_due_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
