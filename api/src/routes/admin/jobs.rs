//! `/admin/jobs`: list, inspect, retry, cancel, replay.

use axum::extract::State;
use axum::http::StatusCode;
use common::ids::JobId;
use common::jobs::{self, JobDetail, JobFilter, JobState, JobSummary};
use common::limits::PAGE_ROWS_MAX;
use common::pipeline;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Json, Path, Query};
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which jobs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs of this queue.
    queue: Option<String>,
    /// Only jobs of this kind.
    name: Option<String>,
    /// Only jobs in this state.
    state: Option<JobState>,
    /// Only jobs about this upload, purchase, payment, dispute or endpoint.
    subject: Option<Uuid>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of jobs, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobPage {
    jobs: Vec<JobSummary>,
    next_cursor: NextCursor,
}

/// What became of the jobs that were to run again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplayedJobs {
    /// The jobs that run again.
    replayed: Vec<JobId>,
    /// The jobs that cannot run again.
    refused: Vec<RefusedReplay>,
}

/// A job that cannot run again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefusedReplay {
    id: JobId,
    /// Why.
    reason: String,
}

impl JobQuery {
    fn filter(self) -> Result<JobFilter, ApiError> {
        Ok(JobFilter {
            queue: self.queue,
            name: self.name,
            state: self.state,
            subject: self.subject,
            before: page::cursor(self.cursor.as_ref(), page::row)?,
            limit: page::rows(self.limit)?,
        })
    }
}

/// A page, newest first.
pub async fn list_jobs(
    State(state): State<ApiState>,
    Query(query): Query<JobQuery>,
) -> Result<Answer<JobPage>, ApiError> {
    let filter = query.filter()?;
    let jobs = jobs::list_jobs(state.pool(), &filter).await?;
    let next_cursor = page::next(&jobs, filter.limit, |job| job.id);
    Ok(Answer::ok(JobPage { jobs, next_cursor }))
}

/// One job with its history.
pub async fn get_job(
    State(state): State<ApiState>,
    Path(id): Path<JobId>,
) -> Result<Answer<JobDetail>, ApiError> {
    Ok(Answer::ok(jobs::find_job(state.pool(), id).await?))
}

/// Runs a job again, now, with all its attempts.
pub async fn retry_job(
    State(state): State<ApiState>,
    Path(id): Path<JobId>,
) -> Result<Answer<JobDetail>, ApiError> {
    pipeline::retry(&state.outbox, id).await?;
    tracing::warn!(job.id = %id, "An operator retried a job");
    Ok(Answer::ok(jobs::find_job(state.pool(), id).await?))
}

/// Why a job is cancelled.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CancellationRequest {
    /// The reason, which its owner reads.
    reason: Option<String>,
}

/// Ends a job: at once if it waits, within a second if it runs.
pub async fn cancel_job(
    State(state): State<ApiState>,
    Path(id): Path<JobId>,
    cancel: Option<Json<CancellationRequest>>,
) -> Result<Answer<JobDetail>, ApiError> {
    let reason = cancel
        .and_then(|Json(cancel)| cancel.reason)
        .unwrap_or_else(|| "cancelled by an operator".to_owned());
    pipeline::cancel(&state.outbox, id, &reason).await?;
    tracing::warn!(job.id = %id, reason, "An operator cancelled a job");
    let job = jobs::find_job(state.pool(), id).await?;
    Ok(Answer::with(StatusCode::ACCEPTED, job))
}

/// Retries every quarantined job that matches, one page at a time.
pub async fn replay_jobs(
    State(state): State<ApiState>,
    Json(query): Json<JobQuery>,
) -> Result<Answer<ReplayedJobs>, ApiError> {
    if query
        .state
        .is_some_and(|state| state != JobState::Quarantined)
    {
        return Err(
            ApiError::new(Code::InvalidInput, "Only quarantined jobs are replayed.")
                .field("state", "must be quarantined or absent"),
        );
    }
    let filter = JobFilter {
        state: Some(JobState::Quarantined),
        limit: PAGE_ROWS_MAX,
        ..query.filter()?
    };
    let (mut replayed, mut refused) = (Vec::new(), Vec::new());
    for job in jobs::list_jobs(state.pool(), &filter).await? {
        match pipeline::retry(&state.outbox, job.id).await {
            Ok(()) => replayed.push(job.id),
            Err(error) => refused.push(RefusedReplay {
                id: job.id,
                reason: error.to_string(),
            }),
        }
    }
    tracing::warn!(
        jobs.replayed = replayed.len(),
        "An operator replayed quarantined jobs"
    );
    Ok(Answer::ok(ReplayedJobs { replayed, refused }))
}
