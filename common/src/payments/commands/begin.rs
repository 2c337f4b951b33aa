//! Begins a payment: its row and the job that asks the provider.

use std::time::Duration;

use crate::events;
use crate::ids::{PaymentId, UserId};
use crate::jobs::{Cost, JobName, NewJob};
use crate::limits::{CARD_LOOK_MIN, CARD_PURCHASE_SECONDS};
use crate::outbox::Tx;
use crate::payments::{CHANGED, NewPayment, Purpose};

/// Records a payment that the provider does not know yet.
pub async fn begin_in_tx(tx: &mut Tx, id: PaymentId, new: &NewPayment) -> Result<(), sqlx::Error> {
    let purpose = match new.purchase {
        Some(_) => Purpose::Purchase,
        None => Purpose::TopUp,
    };
    sqlx::query(
        "insert into payments (
             id, user_id, api_key_id, purpose, purchase_id, amount_minor, currency, method_id, state, request_id,
             webhook_url, next_look_at, expires_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'created', $9, $10, now() + make_interval(secs => $11),
                 now() + make_interval(secs => $12))",
    )
    .bind(id)
    .bind(new.user)
    .bind(new.api_key)
    .bind(purpose)
    .bind(new.purchase)
    .bind(new.amount_minor)
    .bind(&new.currency)
    .bind(&new.method_id)
    .bind(&new.request_id)
    .bind(&new.webhook_url)
    .bind(CARD_LOOK_MIN.as_secs_f64())
    .bind(CARD_PURCHASE_SECONDS as f64)
    .execute(&mut **tx)
    .await?;
    let data = serde_json::json!({ "amountMinor": new.amount_minor, "purchase": new.purchase });
    events::append_in_tx(tx, id.0, "payment.created", &new.request_id, data).await?;
    tx.enqueue(&job(id, new.user, &new.request_id)).await?;
    tx.announce(CHANGED, id.to_string());
    Ok(())
}

/// The job that asks the provider about a payment, now.
pub(super) fn job(id: PaymentId, user: UserId, trace: &str) -> NewJob {
    NewJob {
        name: JobName::ProcessPayment,
        subject: id.0,
        tenant: Some(user),
        cost: Cost::ROWS,
        trace: trace.to_owned(),
        delay: Duration::ZERO,
    }
}
