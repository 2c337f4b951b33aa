//! A worker starts on an upload, and says how far it is.

use crate::ids::UploadId;
use crate::outbox::Outbox;
use crate::uploads::{CHANGED, Stage, Upload};

/// Notes that a run of a job has begun. The per cent never falls: a second run does not take back
/// what a client was shown.
pub async fn begin(outbox: &Outbox, upload: &Upload, stage: Stage) -> Result<(), sqlx::Error> {
    set_stage(outbox, upload, stage, 1).await
}

/// Notes how far a run has come.
pub async fn report_progress(
    outbox: &Outbox,
    upload: &Upload,
    stage: Stage,
) -> Result<(), sqlx::Error> {
    set_stage(outbox, upload, stage, 0).await
}

async fn set_stage(
    outbox: &Outbox,
    upload: &Upload,
    stage: Stage,
    attempts: i32,
) -> Result<(), sqlx::Error> {
    let changed = sqlx::query(
        "update uploads
         set status = 'processing',
             stage = $2,
             progress = greatest(progress, $3),
             attempts = attempts + $4,
             validating_at = coalesce(validating_at, now()),
             version = version + 1
         where id = $1
           and status in ('pending', 'processing')",
    )
    .bind::<UploadId>(upload.id)
    .bind(stage.name())
    .bind(stage.progress())
    .bind(attempts)
    .execute(outbox.pool())
    .await?;
    if changed.rows_affected() == 1 {
        outbox.queue().publish(CHANGED, upload.public_id.as_str());
    }
    Ok(())
}
