//! Takes a notice of the provider: a wake-up call, once, for a payment of ours.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use super::begin::job;
use crate::cards::webhook::Event;
use crate::ids::{PaymentId, UserId};
use crate::outbox::Outbox;
use crate::payments::METADATA_PAYMENT_ID;

/// Remembers the notice and wakes the payment's job, in one transaction. What the notice says is not
/// believed: the job asks. But it may be the first to name the payment at the provider, when the
/// answer to its creation was lost. One about a payment that is not known (yet) is kept. False if it wakes
/// nothing: it is about no payment of ours, or came before.
pub async fn take_notice(outbox: &Outbox, event: &Event) -> Result<bool, sqlx::Error> {
    let Some(intent) = &event.intent_id else {
        return Ok(false);
    };
    let Some((id, user, request_id)) = find_named(outbox.pool(), intent, event).await? else {
        note(outbox.pool(), event, None).await?;
        return Ok(false);
    };
    let mut tx = outbox.begin().await?;
    if !note(&mut *tx, event, Some(id)).await? {
        return Ok(false);
    }
    sqlx::query(
        "update payments
         set provider_id = $2
         where id = $1
           and provider_id is null
           and sent_at is not null",
    )
    .bind(id)
    .bind(intent)
    .execute(&mut *tx)
    .await?;
    tx.enqueue(&job(id, user, &request_id)).await?;
    tx.commit().await?;
    Ok(true)
}

/// False if it came before.
async fn note(
    executor: impl PgExecutor<'_>,
    event: &Event,
    payment: Option<PaymentId>,
) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query(
        "insert into payment_notices (id, payment_id, provider_id, kind)
         values ($1, $2, $3, $4)
         on conflict do nothing",
    )
    .bind(&event.id)
    .bind(payment)
    .bind(&event.intent_id)
    .bind(&event.kind)
    .execute(executor)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// The payment with that name at the provider, or the one without a name that the event's metadata
/// say it is.
async fn find_named(
    pool: &PgPool,
    intent: &str,
    event: &Event,
) -> Result<Option<(PaymentId, UserId, String)>, sqlx::Error> {
    let ours = event.metadata.get(METADATA_PAYMENT_ID);
    sqlx::query_as(
        "select id, user_id, request_id
         from payments
         where provider_id = $1
            or (id = $2 and provider_id is null)
         order by provider_id nulls last
         limit 1",
    )
    .bind(intent)
    .bind(ours.and_then(|text| PaymentId::parse(text)))
    .fetch_optional(pool)
    .await
}

/// Forgets notices that the provider repeats no more.
pub async fn prune_notices(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from payment_notices where received_at < now() - make_interval(secs => $1)",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}
