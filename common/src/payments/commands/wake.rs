//! Wakes payments that are not over and that nobody looks after: the job or the notice was lost, the
//! payer has not come back, or the time is over.

use super::begin::job;
use super::record::look_delay_seconds;
use crate::ids::{PaymentId, UserId};
use crate::outbox::{Outbox, Tx};

/// Wakes the job of a payment, whatever its state.
pub async fn look_again_in_tx(tx: &mut Tx, id: PaymentId) -> Result<(), sqlx::Error> {
    let (user, request_id): (UserId, String) =
        sqlx::query_as("select user_id, request_id from payments where id = $1")
            .bind(id)
            .fetch_one(&mut **tx)
            .await?;
    tx.enqueue(&job(id, user, &request_id)).await?;
    Ok(())
}

/// Wakes up to that many payments whose next look is due. One with a live job is looked after; one
/// whose job is quarantined belongs to an operator. How many were woken.
pub async fn wake_idle(outbox: &Outbox, rows_max: i64) -> Result<usize, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let idle: Vec<(PaymentId, UserId, String, i32)> = sqlx::query_as(
        "select id, user_id, request_id, looks
         from payments
         where finished_at is null
           and next_look_at <= now()
           and not exists (
               select
               from jobs
               where jobs.subject = payments.id
                 and jobs.name = 'process_payment'
                 and jobs.state in ('ready', 'running', 'quarantined')
           )
         order by next_look_at
         limit $1
         for no key update skip locked",
    )
    .bind(rows_max)
    .fetch_all(&mut *tx)
    .await?;
    for (id, user, request_id, looks) in &idle {
        sqlx::query(
            "update payments
             set next_look_at = now() + make_interval(secs => $2)
             where id = $1",
        )
        .bind(id)
        .bind(look_delay_seconds(*looks))
        .execute(&mut *tx)
        .await?;
        tx.enqueue(&job(*id, *user, request_id)).await?;
    }
    tx.commit().await?;
    Ok(idle.len())
}
