//! The status of an upload on the wire: the seed's four fields first, then ours.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::identity::Principal;
use common::ids::{PackagePublicId, UploadPublicId, UserId};
use common::uploads::{self, UploadError, UploadState, UploadStatus, UploadView};
use futures::future::BoxFuture;
use moka::future::Cache;
use package::{EpsilonReport, EvidenceLevel, Refusal, Report, Tier, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

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
            status: Arc::new(Rendered::new(&json!(view.body()), Some(view.version), None)),
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
    type Body = UploadProgress;

    fn version(&self) -> i64 {
        self.version
    }

    fn is_final(&self) -> bool {
        self.status.is_final()
    }

    fn body(&self) -> UploadProgress {
        UploadProgress::from(self)
    }
}

/// How far an upload is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Upload")]
pub struct UploadProgress {
    status: UploadState,
    /// How far it is, in per cent.
    #[schemars(range(min = 0, max = 100))]
    progress: i16,
    /// The package, once it is published.
    package_id: Option<PackagePublicId>,
    /// Why it failed, for people.
    error: Option<String>,
    /// Why it failed, for machines. `/docs/codes` lists the codes; they are only ever added.
    error_code: Option<String>,
    upload_id: UploadPublicId,
    /// What is being done: `awaiting_bytes`, `queued`, `fetching`, `verifying_` with a stage of the verdict, `publishing`;
    /// or `completed`, `failed`.
    stage: String,
    /// How often it was tried.
    attempts: i32,
    /// When to look again, in milliseconds; null once it has ended.
    next_poll_ms: Option<u64>,
    /// What the validation found.
    verdict: Option<VerdictView>,
    timestamps: UploadTimes,
}

/// When an upload reached each step.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UploadTimes")]
struct UploadTimes {
    /// When it was requested.
    created: DateTime<Utc>,
    /// When its bytes were stored.
    committed: Option<DateTime<Utc>>,
    /// When its validation began.
    validating: Option<DateTime<Utc>>,
    /// When its publication began.
    publishing: Option<DateTime<Utc>>,
    /// When it ended.
    finished: Option<DateTime<Utc>>,
}

/// What the validation of a package found, without its inner workings.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ValidationVerdict")]
pub struct VerdictView {
    verdict: Verdict,
    refusal: Option<Refusal>,
    epsilon: EpsilonReport,
    evidence_level: EvidenceLevel,
    /// The band of the measured epsilon; null unless it was measured on enough anchors.
    tier: Option<Tier>,
}

impl From<Report> for VerdictView {
    fn from(report: Report) -> Self {
        Self {
            verdict: report.verdict,
            refusal: report.refusal,
            epsilon: report.epsilon,
            evidence_level: report.evidence_level,
            tier: report.tier,
        }
    }
}

impl From<&UploadView> for UploadProgress {
    fn from(view: &UploadView) -> Self {
        let report = view.report.clone();
        Self {
            status: view.status.state(),
            progress: view.progress,
            package_id: view.package_public_id.clone(),
            error: view.error_message.clone(),
            error_code: view.error_code.clone(),
            upload_id: view.public_id.clone(),
            stage: view.stage.clone(),
            attempts: view.attempts,
            next_poll_ms: match view.status {
                UploadStatus::Awaiting => Some(NEXT_POLL_AWAITING_MS),
                status if status.is_final() => None,
                _ => Some(NEXT_POLL_MS),
            },
            verdict: report.and_then(|report| serde_json::from_value(report).ok()),
            timestamps: UploadTimes {
                created: view.created_at,
                committed: view.committed_at,
                validating: view.validating_at,
                publishing: view.publishing_at,
                finished: view.finished_at,
            },
        }
    }
}
