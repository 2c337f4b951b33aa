//! What the two participants do: `POST /api/agent-tasks/{taskId}/accept`, and so on.

use axum::Extension;
use axum::extract::State;
use common::agent_tasks::commands;
use common::agent_tasks::{Act, TaskError};
use common::identity::Principal;
use common::ids::AgentTaskId;
use common::limits::{REASON_CHARS_MAX, TASK_RESULT_BYTES_MAX};
use common::uploads::FieldFault;

use super::body::{
    DeclineRequest, DeliveryRequest, RatingRequest, TaskDisputeRequest, TaskEvidenceRequest,
    bounded, evidence,
};
use super::view::{AgentTaskDetails, details};
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Json, Path};
use crate::middleware::RequestId;
use crate::routes::free_text;
use crate::state::ApiState;

type Done = Result<Answer<AgentTaskDetails>, ApiError>;

/// Takes a task on.
pub async fn accept_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
) -> Done {
    act(&state, &principal, &id, &Act::Accept, &request_id).await
}

/// Does not do a task.
pub async fn decline_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    body: Option<Json<DeclineRequest>>,
) -> Done {
    let reason = body.and_then(|Json(body)| body.reason);
    let reason = free_text::optional("reason", reason.as_deref(), REASON_CHARS_MAX)?;
    let decline = Act::Decline { reason };
    act(&state, &principal, &id, &decline, &request_id).await
}

/// Delivers the result of a task.
pub async fn deliver_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    Json(body): Json<DeliveryRequest>,
) -> Done {
    let result = bounded("result", body.result, TASK_RESULT_BYTES_MAX)?;
    act(
        &state,
        &principal,
        &id,
        &Act::Deliver { result },
        &request_id,
    )
    .await
}

/// Cancels a task that was not accepted yet.
pub async fn cancel_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
) -> Done {
    act(&state, &principal, &id, &Act::Cancel, &request_id).await
}

/// Takes the result, and pays.
pub async fn settle_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
) -> Done {
    act(&state, &principal, &id, &Act::Settle, &request_id).await
}

/// Disputes the result.
pub async fn dispute_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    Json(body): Json<TaskDisputeRequest>,
) -> Done {
    let dispute = Act::Dispute {
        reason: free_text::required("reason", &body.reason, REASON_CHARS_MAX)?,
        evidence: body.evidence.map(evidence).transpose()?,
    };
    act(&state, &principal, &id, &dispute, &request_id).await
}

/// Rates a task that has ended.
pub async fn rate_agent_task(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<String>,
    Json(body): Json<RatingRequest>,
) -> Done {
    let id = AgentTaskId::parse(&id).ok_or(TaskError::NotFound)?;
    if !(1..=5).contains(&body.stars) {
        let fault = FieldFault::new("stars", "must be from 1 to 5");
        return Err(ApiError::fields(&[fault]));
    }
    let task = commands::rate(&state.outbox, id, principal.user, body.stars, &request_id.0).await?;
    Ok(Answer::ok(details(&state, task).await?))
}

/// Adds evidence to a dispute.
pub async fn add_agent_task_evidence(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    Json(body): Json<TaskEvidenceRequest>,
) -> Done {
    let id = AgentTaskId::parse(&id).ok_or(TaskError::NotFound)?;
    let evidence = evidence(body.evidence)?;
    let task = commands::add_evidence(&state.outbox, id, principal.user, &evidence).await?;
    Ok(Answer::ok(details(&state, task).await?))
}

async fn act(
    state: &ApiState,
    principal: &Principal,
    id: &str,
    act: &Act,
    request_id: &RequestId,
) -> Done {
    let id = AgentTaskId::parse(id).ok_or(TaskError::NotFound)?;
    let task = commands::act(&state.outbox, id, principal.user, act, &request_id.0).await?;
    Ok(Answer::ok(details(state, task).await?))
}
