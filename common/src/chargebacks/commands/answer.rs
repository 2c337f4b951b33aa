//! Answers a dispute: an operator writes, and the payment's job hands it to the provider.

use sqlx::PgPool;

use crate::chargebacks::ChargebackError;
use crate::ids::{ChargebackId, PaymentId};
use crate::limits::EVIDENCE_CHARS_MAX;
use crate::outbox::Outbox;
use crate::payments;

/// Keeps the evidence, and wakes the job that sends it.
pub async fn answer(
    outbox: &Outbox,
    id: ChargebackId,
    evidence: &str,
) -> Result<(), ChargebackError> {
    if !(1..=EVIDENCE_CHARS_MAX).contains(&evidence.trim().chars().count())
        || evidence.contains('\0')
    {
        return Err(ChargebackError::Evidence);
    }
    let mut tx = outbox.begin().await?;
    let answered: Option<PaymentId> = sqlx::query_scalar(
        "update chargebacks
         set evidence = $2, version = version + 1
         where id = $1
           and kind = 'dispute'
           and closed_at is null
           and evidence_sent_at is null
         returning payment_id",
    )
    .bind(id)
    .bind(evidence.trim())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(payment) = answered else {
        let exists = sqlx::query_scalar("select exists (select from chargebacks where id = $1)");
        let exists: bool = exists.bind(id).fetch_one(&mut *tx).await?;
        return Err(match exists {
            true => ChargebackError::NotToBeAnswered,
            false => ChargebackError::NotFound,
        });
    };
    payments::commands::look_again_in_tx(&mut tx, payment).await?;
    tx.commit().await?;
    Ok(())
}

/// Notes that the provider has the evidence.
pub async fn note_sent(pool: &PgPool, provider_id: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update chargebacks
         set evidence_sent_at = now(), version = version + 1
         where provider_id = $1
           and evidence_sent_at is null",
    )
    .bind(provider_id)
    .execute(pool)
    .await?;
    Ok(())
}
