//! The status of an upload on the wire: the seed's four fields first, then ours.

use std::sync::Arc;
use std::time::Duration;

use common::identity::Principal;
use common::ids::{UploadPublicId, UserId};
use common::uploads::{self, UploadError, UploadStatus, UploadView};
use futures::future::BoxFuture;
use moka::future::Cache;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::follow::Status;
use crate::routes::Rendered;
use crate::state::ApiState;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 1000;
const NEXT_POLL_AWAITING_MS: u64 = 5000;

/// Uploads that a process remembers, at a few KiB each.
const COMPLETED_MAX: u64 = 10_000;
const COMPLETED_TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// Uploads that are completed, and so change no more: clients like to look at them again.
#[derive(Debug, Clone)]
pub struct CompletedUploads(Cache<UploadPublicId, Completed>);

#[derive(Debug, Clone)]
struct Completed {
    owner_id: UserId,
    status: Arc<Rendered>,
}

impl Default for CompletedUploads {
    fn default() -> Self {
        let cache = Cache::builder()
            .max_capacity(COMPLETED_MAX)
            .time_to_live(COMPLETED_TIME_TO_LIVE);
        Self(cache.build())
    }
}

impl CompletedUploads {
    /// The status of such an upload, if the caller may see it.
    pub async fn status(&self, id: &str, caller: Option<&Principal>) -> Option<Arc<Rendered>> {
        let completed = self.0.get(&UploadPublicId::parse(id)?).await?;
        let is_visible = caller.is_none_or(|caller| caller.user == completed.owner_id);
        is_visible.then_some(completed.status)
    }

    async fn remember(&self, view: &UploadView) {
        if view.status != UploadStatus::Completed || self.0.contains_key(&view.public_id) {
            return;
        }
        let completed = Completed {
            owner_id: view.owner_id,
            status: Arc::new(Rendered::new(&body(view), Some(view.version), None)),
        };
        self.0.insert(view.public_id.clone(), completed).await;
    }
}

/// Finds the upload again and again, for whoever holds its id. A key that was sent must be the
/// owner's.
pub fn finder(
    state: &ApiState,
    id: &str,
    caller: Option<Principal>,
) -> impl Fn() -> BoxFuture<'static, Result<UploadView, ApiError>> + Send + 'static {
    let (pool, completed) = (state.pool().clone(), state.completed_uploads.clone());
    let id = UploadPublicId::parse(id);
    move || {
        let (pool, completed) = (pool.clone(), completed.clone());
        let (id, caller) = (id.clone(), caller.clone());
        Box::pin(async move {
            let id = id.ok_or(UploadError::NotFound)?;
            let view = uploads::find_view(&pool, &id).await?;
            let visible =
                view.filter(|view| caller.is_none_or(|caller| caller.user == view.owner_id));
            let visible = visible.ok_or(UploadError::NotFound)?;
            completed.remember(&visible).await;
            Ok(visible)
        })
    }
}

impl Status for UploadView {
    type Body = Value;

    fn version(&self) -> i64 {
        self.version
    }

    fn is_final(&self) -> bool {
        self.status.is_final()
    }

    fn body(&self) -> Value {
        body(self)
    }
}

fn body(view: &UploadView) -> Value {
    let next_poll_ms = match view.status {
        UploadStatus::Awaiting => Some(NEXT_POLL_AWAITING_MS),
        status if status.is_final() => None,
        _ => Some(NEXT_POLL_MS),
    };
    json!({
        "status": view.status.as_seed_word(),
        "progress": view.progress,
        "packageId": view.package_public_id,
        "error": view.error_message,
        "errorCode": view.error_code,
        "uploadId": view.public_id,
        "stage": view.stage,
        "attempts": view.attempts,
        "nextPollMs": next_poll_ms,
        "verdict": view.report.as_ref().map(verdict),
        "timestamps": {
            "created": view.created_at,
            "committed": view.committed_at,
            "validating": view.validating_at,
            "publishing": view.publishing_at,
            "finished": view.finished_at,
        },
    })
}

/// What the verdict says, without its inner workings.
pub fn verdict(report: &Value) -> Value {
    json!({
        "verdict": report["verdict"],
        "refusal": report["refusal"],
        "epsilon": report["epsilon"],
        "evidenceLevel": report["evidenceLevel"],
        "tier": report["tier"],
    })
}
