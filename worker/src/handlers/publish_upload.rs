//! Moves judged bytes to their final place and makes the package visible.
//!
//! The final key is the digest of the bytes, so a repeat writes the same thing; the store checks the
//! digest on the way in. Only then does one transaction show the package.

use common::catalog::{self, Claim};
use common::ids::UploadId;
use common::jobs::Lease;
use common::storage::{Blob, StorageError, content_key, staging_key};
use common::uploads::{self, Upload, UploadStatus};
use futures::{StreamExt as _, TryStreamExt as _};

use super::finish_alone;
use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    let upload = uploads::find(context.pool(), UploadId(lease.subject)).await?;
    let Some(upload) = upload.filter(|upload| upload.status == UploadStatus::Processing) else {
        return finish_alone(&context.outbox, lease).await;
    };
    for blob in Blob::ALL {
        publish_blob(context, &upload, blob).await?;
    }
    uploads::commands::complete(&context.outbox, lease, &upload, &context.public_base_url)
        .await??;
    remove_staged(context, &upload).await;
    Ok(())
}

async fn publish_blob(context: &Context, upload: &Upload, blob: Blob) -> Result<(), JobError> {
    let info = upload.blob(blob);
    let key = content_key(&info.sha256);
    let claim = catalog::claim_object(
        context.pool(),
        &key,
        &info.sha256,
        info.size_bytes.cast_signed(),
    )
    .await?;
    if claim == Claim::BeingDeleted {
        return Err(JobError::Snooze {
            reason: format!("{key} is being swept"),
        });
    }
    match context.storage.head(&key).await {
        Ok((size, sha256)) if size == info.size_bytes && sha256.as_ref() == Some(&info.sha256) => {
            return Ok(());
        }
        Ok(_) | Err(StorageError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let storage = context.storage.clone();
    let keys: Vec<String> = (0..info.parts)
        .map(|part| staging_key(upload.id, blob, part))
        .collect();
    let parts = futures::stream::iter(keys)
        .then(move |key| {
            let storage = storage.clone();
            async move { storage.get(&key).await }
        })
        .try_flatten();
    Ok(context
        .storage
        .put_stream(&key, parts, info.size_bytes, &info.sha256)
        .await?)
}

/// The staged bytes are not needed any more. If this fails, the sweep does it.
async fn remove_staged(context: &Context, upload: &Upload) {
    for blob in Blob::ALL {
        for part in 0..upload.blob(blob).parts {
            if context
                .storage
                .delete(&staging_key(upload.id, blob, part))
                .await
                .is_err()
            {
                return;
            }
        }
    }
    if let Err(error) = uploads::mark_staging_swept(context.pool(), upload.id).await {
        tracing::debug!(%error, "The sweep will look at the staged bytes again");
    }
}
