//! The presigned form: a session is opened, its bytes go straight to the store, then it is committed.

use std::time::Duration;

use crate::events;
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{UploadId, UploadPublicId, UserId};
use crate::limits::PRESIGNED_SECONDS;
use crate::outbox::{Outbox, Tx};
use crate::storage::{Blob, PresignedPut, Storage, StorageError, staging_key};
use crate::uploads::{CHANGED, NewUpload, Receipt, Stage, UploadError, UploadStatus, queries};

/// Records a session and answers where its blobs go. The same key opens the same session again,
/// with fresh addresses.
pub async fn open_session(
    outbox: &Outbox,
    storage: &Storage,
    new: &NewUpload,
    key: Option<&IdempotencyKey>,
) -> Result<(UploadPublicId, Vec<(Blob, PresignedPut)>, bool), UploadError> {
    let public_id = UploadPublicId::generate();
    let mut tx = outbox.begin().await?;
    let body = serde_json::json!({ "uploadId": public_id, "row": new.id });
    let answer = StoredAnswer {
        fingerprint: new.fingerprint(),
        status: 201,
        body,
    };
    if let Some(key) = key
        && let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await?
    {
        if earlier.fingerprint != answer.fingerprint {
            return Err(UploadError::IdempotencyConflict);
        }
        let row = earlier.body["row"]
            .as_str()
            .and_then(|text| text.parse::<UploadId>().ok());
        let public_id = earlier.body["uploadId"]
            .as_str()
            .and_then(UploadPublicId::parse);
        let (row, public_id) = row.zip(public_id).ok_or(UploadError::NotFound)?;
        return Ok((public_id, addresses(storage, row, new).await?, true));
    }
    super::create::insert_in_tx(
        &mut tx,
        new,
        &public_id,
        UploadStatus::Awaiting,
        Stage::AwaitingBytes,
    )
    .await?;
    let data = serde_json::json!({ "state": UploadStatus::Awaiting });
    events::append_in_tx(&mut tx, new.id.0, "upload.opened", &new.request_id, data).await?;
    tx.commit().await?;
    Ok((public_id, addresses(storage, new.id, new).await?, false))
}

async fn addresses(
    storage: &Storage,
    id: UploadId,
    new: &NewUpload,
) -> Result<Vec<(Blob, PresignedPut)>, UploadError> {
    let mut addresses = Vec::with_capacity(2);
    for (blob, info) in [
        (Blob::Package, &new.package),
        (Blob::WMatrix, &new.w_matrix),
    ] {
        let key = staging_key(id, blob, 0);
        let valid = Duration::from_secs(PRESIGNED_SECONDS);
        addresses.push((
            blob,
            storage
                .presign_put(&key, info.size_bytes, &info.sha256, valid)
                .await?,
        ));
    }
    Ok(addresses)
}

/// Commits a session: its bytes are in the store, so the upload is accepted. Committing again
/// changes nothing and gets the same answer.
pub async fn commit_session(
    outbox: &Outbox,
    storage: &Storage,
    owner: UserId,
    public_id: &UploadPublicId,
) -> Result<Receipt, UploadError> {
    let view = queries::find_view(outbox.pool(), public_id).await?;
    let view = view
        .filter(|view| view.owner_id == owner)
        .ok_or(UploadError::NotFound)?;
    match view.status {
        UploadStatus::Awaiting => {}
        UploadStatus::Expired => return Err(UploadError::WrongState("expired".to_owned())),
        _ => return Ok(Receipt::of(public_id)),
    }
    let id: UploadId = sqlx::query_scalar("select id from uploads where public_id = $1")
        .bind(public_id)
        .fetch_one(outbox.pool())
        .await?;
    let upload = queries::find(outbox.pool(), id)
        .await?
        .ok_or(UploadError::NotFound)?;
    for (blob, field) in [(Blob::Package, "package"), (Blob::WMatrix, "wMatrix")] {
        let declared = upload.blob(blob);
        let (size, sha256) = match storage.head(&staging_key(id, blob, 0)).await {
            Err(StorageError::NotFound(_)) => return Err(UploadError::BytesMissing(field)),
            other => other?,
        };
        let is_same =
            size == declared.size_bytes && sha256.is_none_or(|sha256| sha256 == declared.sha256);
        if !is_same {
            return Err(UploadError::BytesDiffer(field));
        }
    }
    let mut tx = outbox.begin().await?;
    if set_pending_in_tx(&mut tx, id).await? {
        let size_bytes = upload.size_bytes();
        super::create::enqueue_validation_in_tx(&mut tx, id, owner, size_bytes, &upload.request_id)
            .await?;
        tx.announce(CHANGED, public_id.as_str());
        tx.commit().await?;
        return Ok(Receipt::of(public_id));
    }
    // Another commit came first, or the session ran out since it was looked at.
    let view = queries::find_view(outbox.pool(), public_id).await?;
    match view.map(|view| view.status) {
        Some(UploadStatus::Expired) => Err(UploadError::WrongState("expired".to_owned())),
        Some(_) => Ok(Receipt::of(public_id)),
        None => Err(UploadError::NotFound),
    }
}

async fn set_pending_in_tx(tx: &mut Tx, id: UploadId) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query(
        "update uploads
         set status = 'pending', stage = $2, progress = $3, version = version + 1, committed_at = now()
         where id = $1
           and status = 'awaiting'",
    )
    .bind(id)
    .bind(Stage::Queued.name())
    .bind(Stage::Queued.progress())
    .execute(&mut **tx)
    .await?;
    Ok(updated.rows_affected() == 1)
}
