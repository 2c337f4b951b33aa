//! Takes a notice of the provider: a wake-up call, once, for a payment of ours.

use sqlx::PgPool;

use super::begin::job;
use crate::cards::webhook::Event;
use crate::ids::{PaymentId, UserId};
use crate::limits::CARD_NOTICE_HOURS;
use crate::outbox::Outbox;

/// Remembers the notice and wakes the payment's job, in one transaction. What the notice says is not
/// believed: the job asks. False if it is not about a payment of ours, or came before.
pub async fn take_notice(outbox: &Outbox, event: &Event) -> Result<bool, sqlx::Error> {
    let Some(intent) = &event.intent_id else {
        return Ok(false);
    };
    let found: Option<(PaymentId, UserId, String)> = sqlx::query_as(
        "select id, user_id, request_id
         from payments
         where provider_id = $1",
    )
    .bind(intent)
    .fetch_optional(outbox.pool())
    .await?;
    let Some((id, user, request_id)) = found else {
        return Ok(false);
    };
    let mut tx = outbox.begin().await?;
    let noted = sqlx::query(
        "insert into payment_notices (id, payment_id, kind)
         values ($1, $2, $3)
         on conflict do nothing",
    )
    .bind(&event.id)
    .bind(id)
    .bind(&event.kind)
    .execute(&mut *tx)
    .await?;
    if noted.rows_affected() == 0 {
        return Ok(false);
    }
    tx.enqueue(&job(id, user, &request_id)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Forgets notices that the provider repeats no more.
pub async fn prune_notices(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from payment_notices where received_at < now() - make_interval(hours => $1::integer)",
    )
    .bind(CARD_NOTICE_HOURS)
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}
