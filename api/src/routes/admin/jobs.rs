//! `/admin/jobs`: list, inspect, retry, cancel, replay.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::JobId;
use common::jobs::{self, JobFilter, JobState};
use common::limits::PAGE_ROWS_MAX;
use common::pipeline;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::error::{ApiError, Code};
use crate::extract::{Json, Path, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which jobs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobQuery {
    queue: Option<String>,
    name: Option<String>,
    state: Option<JobState>,
    subject: Option<Uuid>,
    cursor: Option<String>,
    limit: Option<i64>,
}

impl JobQuery {
    fn filter(self) -> Result<JobFilter, ApiError> {
        Ok(JobFilter {
            queue: self.queue,
            name: self.name,
            state: self.state,
            subject: self.subject,
            before: page::cursor(self.cursor.as_deref(), page::row)?,
            limit: Pages::LONG.limit(self.limit)?,
        })
    }
}

/// A page, newest first.
pub async fn list_jobs(
    State(state): State<ApiState>,
    Query(query): Query<JobQuery>,
) -> Result<Response, ApiError> {
    let filter = query.filter()?;
    let jobs = jobs::list_jobs(state.pool(), &filter).await?;
    let next = page::next(&jobs, filter.limit, |job| job.id);
    Ok(success(
        StatusCode::OK,
        json!({ "jobs": jobs, "nextCursor": next }),
    ))
}

/// One job with its history.
pub async fn get_job(
    State(state): State<ApiState>,
    Path(id): Path<JobId>,
) -> Result<Response, ApiError> {
    Ok(success(
        StatusCode::OK,
        jobs::find_job(state.pool(), id).await?,
    ))
}

/// Runs a job again, now, with all its attempts.
pub async fn retry_job(
    State(state): State<ApiState>,
    Path(id): Path<JobId>,
) -> Result<Response, ApiError> {
    pipeline::retry(&state.outbox, id).await?;
    tracing::warn!(job.id = %id, "An operator retried a job");
    Ok(success(
        StatusCode::OK,
        jobs::find_job(state.pool(), id).await?,
    ))
}

/// Why a job is cancelled; its owner reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cancel {
    reason: Option<String>,
}

/// Ends a job: at once if it waits, within a second if it runs.
pub async fn cancel_job(
    State(state): State<ApiState>,
    Path(id): Path<JobId>,
    cancel: Option<Json<Cancel>>,
) -> Result<Response, ApiError> {
    let reason = cancel
        .and_then(|Json(cancel)| cancel.reason)
        .unwrap_or_else(|| "cancelled by an operator".to_owned());
    pipeline::cancel(&state.outbox, id, &reason).await?;
    tracing::warn!(job.id = %id, reason, "An operator cancelled a job");
    Ok(success(
        StatusCode::ACCEPTED,
        jobs::find_job(state.pool(), id).await?,
    ))
}

/// Retries every quarantined job that matches, one page at a time.
pub async fn replay_jobs(
    State(state): State<ApiState>,
    Json(query): Json<JobQuery>,
) -> Result<Response, ApiError> {
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
            Err(error) => refused.push(json!({ "id": job.id, "reason": error.to_string() })),
        }
    }
    tracing::warn!(
        jobs.replayed = replayed.len(),
        "An operator replayed quarantined jobs"
    );
    Ok(success(
        StatusCode::OK,
        json!({ "replayed": replayed, "refused": refused }),
    ))
}
