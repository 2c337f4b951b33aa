//! Sends a promised message to its receiver, signed, and notes what came of it.

use common::identity;
use common::ids::DeliveryId;
use common::jobs::{self, Lease};
use common::telemetry::metrics;
use common::webhooks::{self, Attempt, AttemptRow, Delivery, DeliveryState, Outcome, plan, sign};

use super::finish_alone;
use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    let delivery = webhooks::find(context.pool(), DeliveryId(lease.subject)).await?;
    let Some(delivery) = delivery.filter(|delivery| delivery.state == DeliveryState::Pending)
    else {
        return finish_alone(&context.outbox, lease).await;
    };
    let attempt = send(context, lease, &delivery).await?;
    record(context, lease, &delivery, &attempt).await
}

async fn send(context: &Context, lease: &Lease, delivery: &Delivery) -> Result<Attempt, JobError> {
    let key = identity::signing_key(context.pool(), &context.sealer, delivery.api_key_id).await?;
    let timestamp = chrono::Utc::now().timestamp();
    let signatures = sign::headers(
        key.secret(),
        &delivery.message_id,
        timestamp,
        &delivery.body,
    )
    .map_err(|error| JobError::retry(error.to_string()))?;
    let mut headers = signatures.to_vec();
    headers.push(("x-awareness-event", delivery.event_type.clone()));
    headers.push(("x-awareness-delivery", delivery.id.to_string()));
    headers.push(("x-awareness-attempt", (delivery.attempts + 1).to_string()));
    headers.push(("x-request-id", lease.trace.clone()));
    let body = bytes::Bytes::from(delivery.body.clone());
    Ok(context.webhooks.post(&delivery.url, &headers, body).await)
}

/// Notes the attempt and what follows from it, in one transaction with the job's end.
async fn record(
    context: &Context,
    lease: &Lease,
    delivery: &Delivery,
    attempt: &Attempt,
) -> Result<(), JobError> {
    let made = delivery.attempts + 1;
    let row = row_of(made, attempt);
    metrics()
        .webhook_attempts
        .with_label_values(&[row.outcome.as_str()])
        .inc();
    metrics()
        .webhook_attempt_seconds
        .observe(attempt.duration.as_secs_f64());
    tracing::info!(
        webhook.delivery = %delivery.id,
        webhook.event = delivery.event_type,
        webhook.attempt = made,
        webhook.outcome = row.outcome,
        webhook.status = row.status_code,
        duration_ms = row.duration_ms,
        "Attempted a delivery"
    );
    let mut tx = context.outbox.begin().await?;
    match &attempt.outcome {
        Outcome::Delivered { .. } => {
            jobs::finish_in_tx(&mut tx, lease).await??;
            webhooks::record_attempt_in_tx(&mut tx, delivery.id, DeliveryState::Delivered, &row)
                .await?;
        }
        Outcome::Refused {
            retry_after,
            detail,
            ..
        } => {
            let reason = format!("{}: {detail}", row.outcome);
            let next = plan::next_delay(made.unsigned_abs(), *retry_after, rand::random());
            let state = match next {
                Some(delay) => {
                    jobs::retry(&mut *tx, lease, "retry", &reason, delay).await??;
                    DeliveryState::Pending
                }
                None => {
                    jobs::cancel_in_tx(&mut tx, lease, &reason).await??;
                    DeliveryState::Failed
                }
            };
            webhooks::record_attempt_in_tx(&mut tx, delivery.id, state, &row).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

fn row_of(number: i32, attempt: &Attempt) -> AttemptRow {
    let (outcome, status) = match &attempt.outcome {
        Outcome::Delivered { status } => ("delivered", Some(*status)),
        Outcome::Refused { class, status, .. } => (class.as_str(), *status),
    };
    AttemptRow {
        attempt: number,
        outcome: outcome.to_owned(),
        status_code: status.map(u16::cast_signed),
        duration_ms: i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX),
        response: attempt.response_excerpt.clone().unwrap_or_default(),
        at: chrono::Utc::now(),
    }
}
