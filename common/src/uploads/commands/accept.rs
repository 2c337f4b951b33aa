//! The verdict is good: the report is kept and the bytes are to be published.

use crate::events;
use crate::jobs::{self, Cost, JobName, Lease, LeaseLost, NewJob};
use crate::outbox::Outbox;
use crate::uploads::{CHANGED, Stage, Upload};

/// Ends the validation: report, event, and the job that publishes.
pub async fn accept(
    outbox: &Outbox,
    lease: &Lease,
    upload: &Upload,
    report: &serde_json::Value,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    let accepted = sqlx::query(
        "update uploads
         set report = $2, stage = $3, progress = greatest(progress, $4), publishing_at = now(), version = version + 1
         where id = $1
           and status = 'processing'",
    )
    .bind(upload.id)
    .bind(report)
    .bind(Stage::Publishing.name())
    .bind(Stage::Publishing.progress())
    .execute(&mut *tx)
    .await?;
    if accepted.rows_affected() == 1 {
        let data = serde_json::json!({ "state": "validated" });
        events::append_in_tx(&mut tx, upload.id.0, "upload.validated", &lease.trace, data).await?;
    }
    tx.enqueue(&NewJob {
        name: JobName::PublishUpload,
        subject: upload.id.0,
        tenant: Some(upload.owner_id),
        cost: Cost::of_moving(upload.size_bytes()),
        trace: lease.trace.clone(),
        delay: std::time::Duration::ZERO,
    })
    .await?;
    tx.announce(CHANGED, upload.public_id.as_str());
    tx.commit().await?;
    Ok(Ok(()))
}
