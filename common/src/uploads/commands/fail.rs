//! An upload ends without a package: its owner gets the reason, in the status and by webhook.

use serde::Serialize;

use super::tell_batch::tell_batch_in_tx;
use crate::events;
use crate::ids::UploadId;
use crate::jobs::{self, Lease, LeaseLost};
use crate::outbox::{Outbox, Tx};
use crate::telemetry::metrics;
use crate::uploads::{CHANGED, Refusal, Stage, Upload, UploadStatus};
use crate::webhooks::{Address, EventType, NewEvent, announce_in_tx};

/// The code of a failure that is ours; an operator may run such an upload again.
const INTERNAL: &str = "INTERNAL_ERROR";

/// The seed's message, byte for byte.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadFailed<'a> {
    event: &'static str,
    upload_id: &'a str,
    error: &'a str,
}

/// The verdict is a refusal: the job is done, the upload failed.
pub async fn refuse(
    outbox: &Outbox,
    lease: &Lease,
    upload: &Upload,
    report: &serde_json::Value,
    refusal: &Refusal,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    sqlx::query("update uploads set report = $2 where id = $1")
        .bind(upload.id)
        .bind(report)
        .execute(&mut *tx)
        .await?;
    fail_in_tx(&mut tx, upload, refusal, &lease.trace).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Ends an upload that is under way; one that has ended stays as it is.
pub async fn fail_in_tx(
    tx: &mut Tx,
    upload: &Upload,
    refusal: &Refusal,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let failed = sqlx::query(
        "update uploads
         set status = 'failed', stage = 'failed', error_code = $2, error_message = $3, finished_at = now(),
             version = version + 1
         where id = $1
           and status in ('pending', 'processing')",
    )
    .bind(upload.id)
    .bind(&refusal.code)
    .bind(&refusal.message)
    .execute(&mut **tx)
    .await?;
    if failed.rows_affected() == 0 {
        return Ok(());
    }
    let data =
        serde_json::json!({ "state": "failed", "code": refusal.code, "message": refusal.message });
    events::append_in_tx(tx, upload.id.0, "upload.failed", trace, data).await?;
    let message = UploadFailed {
        event: EventType::UploadFailed.as_str(),
        upload_id: upload.public_id.as_str(),
        error: &refusal.message,
    };
    let event = NewEvent {
        owner: upload.owner_id,
        subject: upload.id.0,
        event_type: EventType::UploadFailed,
        occasion: None,
        body: serde_json::to_vec(&message).expect("plain text serialises"),
        trace: trace.into(),
        address: Address::of(upload.webhook_url.as_deref(), upload.api_key_id),
    };
    announce_in_tx(tx, &event).await?;
    tell_batch_in_tx(tx, upload, trace).await?;
    tx.announce(CHANGED, upload.public_id.as_str());
    metrics()
        .uploads_finished
        .with_label_values(&[upload.package_type.as_str(), "failed"])
        .inc();
    Ok(())
}

/// Opens an upload again that failed through a fault of ours, because an operator retries its job;
/// `status` and `stage` are those in which that job expects it. Its staged bytes are still there
/// until the sweep has noted otherwise.
pub async fn revive_in_tx(
    tx: &mut Tx,
    id: UploadId,
    status: UploadStatus,
    stage: Stage,
) -> Result<bool, sqlx::Error> {
    let revived: Option<(String, String)> = sqlx::query_as(
        "update uploads
         set status = $2, stage = $3, error_code = null, error_message = null, finished_at = null,
             version = version + 1
         where id = $1
           and status = 'failed'
           and error_code = $4
           and staging_swept_at is null
         returning case when publishing_at is null then 'accepted' else 'validated' end, request_id",
    )
    .bind(id)
    .bind(status)
    .bind(stage.name())
    .bind(INTERNAL)
    .fetch_optional(&mut **tx)
    .await?;
    let Some((state, trace)) = revived else {
        return Ok(false);
    };
    let data = serde_json::json!({ "state": state, "code": null, "message": null });
    events::append_in_tx(tx, id.0, "upload.revived", &trace, data).await?;
    Ok(true)
}

/// What the owner is told when we gave up.
pub fn internal_refusal() -> Refusal {
    Refusal {
        code: INTERNAL.to_owned(),
        message: "The upload could not be processed because of an internal fault. Our operators have been told; \
                  you may upload it again."
            .to_owned(),
    }
}
