//! Tells the seller that all uploads of a batch have ended.

use serde::Serialize;
use uuid::Uuid;

use crate::ids::{BatchPublicId, UserId};
use crate::outbox::Tx;
use crate::uploads::Upload;
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

#[derive(Debug, sqlx::FromRow)]
struct Batch {
    public_id: BatchPublicId,
    owner_id: UserId,
    is_done: bool,
    completed: i64,
    failed: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchCompleted<'a> {
    event: &'static str,
    batch_id: &'a str,
    completed: i64,
    failed: i64,
}

/// Promises `batch.completed` if this upload, which has just ended, was the last of its batch.
pub(super) async fn tell_batch_in_tx(
    tx: &mut Tx,
    upload: &Upload,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let batch: Option<Uuid> = sqlx::query_scalar("select batch_id from uploads where id = $1")
        .bind(upload.id)
        .fetch_one(&mut **tx)
        .await?;
    let Some(batch) = batch else { return Ok(()) };
    // Of two that end at once the second sees the first.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1::text, 0))")
        .bind(batch)
        .execute(&mut **tx)
        .await?;
    let found: Batch = sqlx::query_as(
        "select upload_batches.public_id, upload_batches.owner_id,
                bool_and(status in ('completed', 'failed', 'expired')) as is_done,
                count(*) filter (where status = 'completed') as completed,
                count(*) filter (where status in ('failed', 'expired')) as failed
         from uploads
         join upload_batches on upload_batches.id = batch_id
         where batch_id = $1
         group by upload_batches.id",
    )
    .bind(batch)
    .fetch_one(&mut **tx)
    .await?;
    if !found.is_done {
        return Ok(());
    }
    let message = BatchCompleted {
        event: EventType::BatchCompleted.as_str(),
        batch_id: found.public_id.as_str(),
        completed: found.completed,
        failed: found.failed,
    };
    let event = NewEvent {
        owner: found.owner_id,
        subject: batch,
        event_type: EventType::BatchCompleted,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: trace.into(),
        address: Address::of(upload.webhook_url.as_deref(), upload.api_key_id),
    };
    announce_in_tx(tx, &event).await
}
