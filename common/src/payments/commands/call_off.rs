//! Calls a payment off: its purchase has ended, or is paid otherwise.

use super::begin::job;
use crate::events;
use crate::outbox::Tx;
use crate::payments::{CHANGED, Payment};

/// Marks a payment that the caller has locked, and wakes the job that cancels it at the provider. One
/// that was never sent there is not sent any more; one that is over stays as it is.
pub async fn call_off_in_tx(
    tx: &mut Tx,
    payment: &Payment,
    trace: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update payments
         set called_off_at = now(), version = version + 1
         where id = $1
           and called_off_at is null",
    )
    .bind(payment.id)
    .execute(&mut **tx)
    .await?;
    let data = serde_json::json!({ "purchase": payment.purchase_id });
    events::append_in_tx(tx, payment.id.0, "payment.called_off", trace, data).await?;
    if !payment.state.is_final() {
        tx.enqueue(&job(payment.id, payment.user_id, trace)).await?;
    }
    tx.announce(CHANGED, payment.id.to_string());
    Ok(())
}
