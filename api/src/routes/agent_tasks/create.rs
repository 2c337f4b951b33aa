//! `POST /api/agents/{agentId}/tasks`.

use axum::Extension;
use axum::extract::State;
use common::agent_tasks::TaskError;
use common::agent_tasks::commands::{self, NewTask};
use common::agents::{AgentId, normalised_capability};
use common::limits::TASK_CONTEXT_BYTES_MAX;

use super::body::{AgentTaskRequest, bounded};
use super::view::{AgentTaskDetails, details, status_url};
use crate::contract::{Answer, Tried};
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, IdempotencyHeader, Json, Path};
use crate::middleware::RequestId;
use crate::state::ApiState;

/// Asks an agent for a task, and holds what it costs.
pub async fn create_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    dry_run: DryRun,
    idempotency: IdempotencyHeader,
    Extension(request_id): Extension<RequestId>,
    Path(agent): Path<String>,
    Json(body): Json<AgentTaskRequest>,
) -> Result<Tried<AgentTaskDetails>, ApiError> {
    let key = idempotency.scoped(&principal, "agent-tasks");
    let new = NewTask {
        payer_agent: body.payer_agent_id,
        provider_agent: AgentId::parse(&agent).ok_or(TaskError::NoProvider)?,
        payer: principal.user,
        api_key: principal.key,
        capability: normalised_capability(&body.capability),
        amount_minor: body.amount_minor,
        context: bounded("context", body.context, TASK_CONTEXT_BYTES_MAX)?,
        fee_basis_points: state.fee_basis_points,
        request_id: request_id.0,
    };
    let task = commands::create(&dry_run.outbox(&state), &new, key.as_ref()).await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let url = status_url(task.id);
    Ok(Tried::Done(Answer::created(
        details(&state, task).await?,
        &url,
    )))
}
