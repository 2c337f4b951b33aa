//! `/admin/tasks`: the scheduler's periodic work, and runs of it on request.

use axum::extract::State;
use axum::http::StatusCode;
use common::scheduled_tasks::{self, ScheduledTask};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::Path;
use crate::state::ApiState;

/// All tasks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScheduledTaskList {
    /// In the scheduler's order: the most urgent first.
    tasks: Vec<ScheduledTask>,
}

/// A run that was requested.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TaskRequest {
    /// The task.
    task: String,
    /// The number of the request. It is served once `requestsServed` of the task is no less.
    request: i64,
}

/// All tasks, as the scheduler that leads last wrote them down.
pub async fn list_tasks(
    State(state): State<ApiState>,
) -> Result<Answer<ScheduledTaskList>, ApiError> {
    let tasks = scheduled_tasks::list(state.pool()).await?;
    Ok(Answer::ok(ScheduledTaskList { tasks }))
}

/// Runs a task beside its schedule, within a second if a scheduler leads.
pub async fn run_task(
    State(state): State<ApiState>,
    Path(task): Path<String>,
) -> Result<Answer<TaskRequest>, ApiError> {
    let request = scheduled_tasks::request(state.pool(), &task)
        .await?
        .ok_or_else(|| ApiError::new(Code::NotFound, format!("No task is called {task}.")))?;
    tracing::info!(task.name = task, "An operator requested a run of a task");
    let requested = TaskRequest { task, request };
    Ok(Answer::with(StatusCode::ACCEPTED, requested).followed_at("/admin/tasks"))
}
