//! `GET /api/agent-tasks/{taskId}`.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use common::agent_tasks::{self, TaskError};
use common::ids::AgentTaskId;

use super::view::{AgentTaskDetails, Followable};
use crate::contract::Cacheable;
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait};
use crate::follow::Follower;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// Answers the task to its two participants; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(task_id): Path<String>,
) -> Result<Cacheable<AgentTaskDetails>, ApiError> {
    let id = AgentTaskId::parse(&task_id);
    let pool = state.pool().clone();
    let find = move || {
        let pool = pool.clone();
        async move {
            let id = id.ok_or(TaskError::NotFound)?;
            let found = agent_tasks::find_of(&pool, id, principal.user).await?;
            Followable::read(&pool, found.ok_or(TaskError::NotFound)?).await
        }
    };
    let topic = agent_tasks::CHANGED;
    Follower::new(&state, Some(&principal), topic, task_id, find)
        .answer(version, wait, &headers)
        .await
}
