//! `GET /api/ai/batches/{batchId}`: how far a batch is.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use common::ids::BatchPublicId;
use common::uploads::{self, BatchUpload, BatchView, UploadError, UploadStatus};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path, PreferWait};
use crate::follow::{Followed, Follower, Status};
use crate::state::ApiState;
use crate::version::ApiVersion;

const NEXT_POLL_MS: u64 = 1000;

/// Answers the batch to whoever holds its id; a key that is sent must be the owner's. See
/// [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_batch(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(batch_id): Path<String>,
) -> Result<Followed<Value>, ApiError> {
    let pool = state.pool().clone();
    let id = BatchPublicId::parse(&batch_id);
    let asking = caller.clone();
    let find = move || -> BoxFuture<'static, Result<BatchView, ApiError>> {
        let (pool, id, caller) = (pool.clone(), id.clone(), asking.clone());
        Box::pin(async move {
            let id = id.ok_or(UploadError::NotFound)?;
            let found = uploads::find_batch(&pool, &id).await?;
            let visible =
                found.filter(|batch| caller.is_none_or(|caller| caller.user == batch.owner_id));
            Ok(visible.ok_or(UploadError::NotFound)?)
        })
    };
    Follower::new(&state, caller.as_ref(), uploads::CHANGED, batch_id, find)
        .answer(version, wait, &headers)
        .await
}

impl Status for BatchView {
    type Body = Value;

    fn version(&self) -> i64 {
        self.uploads.iter().map(|upload| upload.version).sum()
    }

    fn is_final(&self) -> bool {
        self.uploads.iter().all(|upload| upload.status.is_final())
    }

    fn body(&self) -> Value {
        let count = |word: &str| {
            let uploads = self.uploads.iter();
            let so = uploads.filter(|upload| upload.status.as_seed_word() == word);
            so.count()
        };
        let total = self.uploads.len().max(1);
        let progress: i64 = self.uploads.iter().map(progress).sum();
        let all_wait = count("pending") == self.uploads.len();
        let status = match (self.is_final(), all_wait) {
            (true, _) => "completed",
            (false, true) => "pending",
            (false, false) => "processing",
        };
        let mut uploads = self.uploads.iter();
        let items = self.items.as_array().into_iter().flatten();
        let items: Vec<Value> = items
            .map(|item| match item["accepted"].as_bool() {
                Some(true) => uploads
                    .next()
                    .map_or_else(|| item.clone(), |it| taken(item, it)),
                _ => item.clone(),
            })
            .collect();
        json!({
            "batchId": self.public_id,
            "status": status,
            "progress": progress / total as i64,
            "counts": {
                "total": items.len(),
                "refused": items.len() - self.uploads.len(),
                "pending": count("pending"),
                "processing": count("processing"),
                "completed": count("completed"),
                "failed": count("failed"),
            },
            "items": items,
            "createdAt": self.created_at,
            "nextPollMs": (!self.is_final()).then_some(NEXT_POLL_MS),
        })
    }
}

/// An upload that has ended is through, however it ended.
fn progress(upload: &BatchUpload) -> i64 {
    if upload.status.is_final() {
        100
    } else {
        i64::from(upload.progress)
    }
}

fn taken(item: &Value, upload: &BatchUpload) -> Value {
    let is_failed = upload.status == UploadStatus::Failed;
    json!({
        "index": item["index"],
        "accepted": true,
        "uploadId": upload.public_id,
        "statusUrl": format!("/api/ai/package-status/{}", upload.public_id),
        "status": upload.status.as_seed_word(),
        "stage": upload.stage,
        "progress": upload.progress,
        "packageId": upload.package_public_id,
        "error": is_failed.then_some(&upload.error_message),
        "errorCode": is_failed.then_some(&upload.error_code),
    })
}
