//! `GET /api/ai/batches/{batchId}`: how far a batch is.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use common::ids::{BatchPublicId, PackagePublicId, UploadPublicId};
use common::uploads::{
    self, BatchUpload, BatchView, JudgedItem, RefusedItem, UploadError, UploadState, UploadStatus,
};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Cacheable;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path, PreferWait};
use crate::follow::{Follower, Status};
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
) -> Result<Cacheable<Batch>, ApiError> {
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

/// How far a batch is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    batch_id: BatchPublicId,
    status: BatchState,
    /// How far all uploads together are, in per cent.
    #[schemars(range(min = 0, max = 100))]
    progress: i64,
    counts: BatchCounts,
    /// Each package, in order.
    items: Vec<BatchItem>,
    /// When it was requested.
    created_at: DateTime<Utc>,
    /// When to look again, in milliseconds; null once it has ended.
    next_poll_ms: Option<u64>,
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum BatchState {
    /// No upload has begun.
    Pending,
    Processing,
    /// Each upload has ended, however.
    Completed,
}

/// How many packages of a batch there are, by status.
#[derive(Debug, Serialize, JsonSchema)]
struct BatchCounts {
    /// All of them.
    total: usize,
    /// Those that were refused at once.
    refused: usize,
    /// Those that wait.
    pending: usize,
    /// Those that are validated or published now.
    processing: usize,
    /// Those that are published.
    completed: usize,
    /// Those that failed.
    failed: usize,
}

/// A package of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum BatchItem {
    Upload(BatchUploadProgress),
    Refused(RefusedItem),
}

/// How far an upload of a batch is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BatchUploadProgress")]
struct BatchUploadProgress {
    /// Its place in the batch.
    index: usize,
    /// Always true.
    accepted: bool,
    upload_id: UploadPublicId,
    /// Where the upload is followed.
    status_url: String,
    status: UploadState,
    /// What is being done: `awaiting_bytes`, `queued`, `fetching`, `verifying_` with a stage of the verdict, `publishing`;
    /// or `completed`, `failed`.
    stage: String,
    /// How far it is, in per cent.
    #[schemars(range(min = 0, max = 100))]
    progress: i16,
    /// The package, once it is published.
    package_id: Option<PackagePublicId>,
    /// Why it failed, for people.
    error: Option<String>,
    /// Why it failed, for machines. `/docs/codes` lists the codes; they are only ever added.
    error_code: Option<String>,
}

impl Status for BatchView {
    type Body = Batch;

    fn version(&self) -> i64 {
        self.uploads.iter().map(|upload| upload.version).sum()
    }

    fn is_final(&self) -> bool {
        self.uploads.iter().all(|upload| upload.status.is_final())
    }

    fn body(&self) -> Batch {
        let count = |state: UploadState| {
            let uploads = self.uploads.iter();
            let so = uploads.filter(|upload| upload.status.state() == state);
            so.count()
        };
        let total = self.uploads.len().max(1);
        let progress: i64 = self.uploads.iter().map(progress).sum();
        let all_wait = count(UploadState::Pending) == self.uploads.len();
        let status = match (self.is_final(), all_wait) {
            (true, _) => BatchState::Completed,
            (false, true) => BatchState::Pending,
            (false, false) => BatchState::Processing,
        };
        let mut uploads = self.uploads.iter();
        let items = self.items.iter();
        let items: Vec<BatchItem> = items
            .filter_map(|item| match item {
                JudgedItem::Refused(refused) => Some(BatchItem::Refused(refused.clone())),
                JudgedItem::Taken(taken) => {
                    let upload = uploads.next()?;
                    Some(BatchItem::Upload(shown(taken.index, upload)))
                }
            })
            .collect();
        Batch {
            batch_id: self.public_id.clone(),
            status,
            progress: progress / total as i64,
            counts: BatchCounts {
                total: items.len(),
                refused: items.len() - self.uploads.len(),
                pending: count(UploadState::Pending),
                processing: count(UploadState::Processing),
                completed: count(UploadState::Completed),
                failed: count(UploadState::Failed),
            },
            items,
            created_at: self.created_at,
            next_poll_ms: (!self.is_final()).then_some(NEXT_POLL_MS),
        }
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

fn shown(index: usize, upload: &BatchUpload) -> BatchUploadProgress {
    let is_failed = upload.status == UploadStatus::Failed;
    BatchUploadProgress {
        index,
        accepted: true,
        upload_id: upload.public_id.clone(),
        status_url: format!("/api/ai/package-status/{}", upload.public_id),
        status: upload.status.state(),
        stage: upload.stage.clone(),
        progress: upload.progress,
        package_id: upload.package_public_id.clone(),
        error: upload.error_message.clone().filter(|_| is_failed),
        error_code: upload.error_code.clone().filter(|_| is_failed),
    }
}
