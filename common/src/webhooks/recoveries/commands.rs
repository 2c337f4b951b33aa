//! Starts, advances and cancels recoveries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{CHANGED, Mode, Recovery, RecoveryState};
use crate::ids::{EndpointId, JobId, RecoveryId, UserId};
use crate::jobs::{self, Cost, JobName, Lease, LeaseLost, NewJob};
use crate::limits::{RECOVERY_RATE_SHARE, RECOVERY_STEP_ROWS};
use crate::outbox::{Outbox, Tx};
use crate::webhooks::WebhookError;
use crate::webhooks::endpoints::{self, EndpointState};

/// What to send again.
#[derive(Debug, Clone, Copy)]
pub struct NewRecovery<'a> {
    pub endpoint: EndpointId,
    pub owner: UserId,
    pub mode: Mode,
    /// Events from this time,
    pub since: DateTime<Utc>,
    /// and before this time.
    pub until: DateTime<Utc>,
    pub trace: &'a str,
}

/// Starts a recovery of an enabled endpoint.
pub async fn start(outbox: &Outbox, new: &NewRecovery<'_>) -> Result<RecoveryId, WebhookError> {
    let mut tx = outbox.begin().await?;
    let endpoint = endpoints::find(&mut *tx, new.endpoint, new.owner).await?;
    if endpoint.state == EndpointState::Disabled {
        return Err(WebhookError::Disabled);
    }
    let id = start_in_tx(&mut tx, new).await?;
    tx.commit().await?;
    Ok(id)
}

/// Notes the recovery and the job that does it.
pub async fn start_in_tx(tx: &mut Tx, new: &NewRecovery<'_>) -> Result<RecoveryId, sqlx::Error> {
    let id = RecoveryId::new();
    sqlx::query(
        "insert into webhook_recoveries (id, owner_id, endpoint_id, mode, since, until, trace, total)
         values ($1, $2, $3, $4, $5, $6, $7, (
             select count(*)
             from webhook_recovery_candidates($3, $4, $5, $6, 0, null)
         ))",
    )
    .bind(id)
    .bind(new.owner)
    .bind(new.endpoint)
    .bind(new.mode)
    .bind(new.since)
    .bind(new.until)
    .bind(new.trace)
    .execute(&mut **tx)
    .await?;
    tx.enqueue(&NewJob {
        name: JobName::RecoverWebhooks,
        subject: id.0,
        tenant: Some(new.owner),
        cost: Cost::UNKNOWN,
        trace: new.trace.to_owned(),
        delay: Duration::ZERO,
    })
    .await?;
    Ok(id)
}

/// A recovery of the owner.
pub async fn find(pool: &PgPool, id: RecoveryId, owner: UserId) -> Result<Recovery, WebhookError> {
    sqlx::query_as(
        "select webhook_recoveries.*,
                (select count(*) from webhook_deliveries
                 where recovery_id = $1 and state = 'delivered') as delivered,
                (select count(*) from webhook_deliveries
                 where recovery_id = $1 and state = 'failed') as failed
         from webhook_recoveries
         where id = $1
           and owner_id = $2",
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(pool)
    .await?
    .ok_or(WebhookError::NotFound)
}

#[derive(sqlx::FromRow)]
struct Step {
    queued: i64,
    state: RecoveryState,
    job_id: JobId,
}

/// Does the whole work of a leased job, step by step.
pub async fn run(outbox: &Outbox, lease: &Lease) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    loop {
        let mut tx = outbox.begin().await?;
        let step: Option<Step> = sqlx::query_as(
            "select queued, state, job_id
             from advance_webhook_recovery($1, $2, $3)",
        )
        .bind(lease.subject)
        .bind(RECOVERY_STEP_ROWS)
        .bind(RECOVERY_RATE_SHARE)
        .fetch_optional(&mut *tx)
        .await?;
        tx.announce(CHANGED, RecoveryId(lease.subject).to_string());
        let is_over = match step {
            Some(step) => {
                if step.queued > 0 {
                    tx.ring([step.job_id]);
                }
                step.state != RecoveryState::Running
            }
            None => true,
        };
        if is_over {
            if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
                return Ok(Err(LeaseLost));
            }
            tx.commit().await?;
            return Ok(Ok(()));
        }
        tx.commit().await?;
    }
}

/// Stops a running recovery; what it queued and is not sent yet goes back to what it was.
pub async fn cancel(outbox: &Outbox, id: RecoveryId, owner: UserId) -> Result<(), WebhookError> {
    find(outbox.pool(), id, owner).await?;
    let mut tx = outbox.begin().await?;
    let mode: Option<Mode> = sqlx::query_scalar(
        "update webhook_recoveries
         set state = 'cancelled', finished_at = now(), version = version + 1
         where id = $1
           and state = 'running'
         returning mode",
    )
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?;
    let mode = mode.ok_or(WebhookError::Ended)?;
    let before = match mode {
        Mode::Failed => "failed",
        Mode::Held | Mode::Missing => "discarded",
    };
    sqlx::query(
        "update webhook_deliveries
         set state = $2, trigger = 'plan', finished_at = now()
         where recovery_id = $1
           and state = 'pending'
           and trigger = 'recovery'",
    )
    .bind(id)
    .bind(before)
    .execute(&mut *tx)
    .await?;
    tx.announce(CHANGED, id.to_string());
    tx.commit().await?;
    Ok(())
}
