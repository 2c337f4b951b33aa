//! `/admin/agent-tasks`: list, inspect, resolve.

use axum::Extension;
use axum::extract::State;
use common::agent_tasks::{self, Cursor, Decision, PageFilter, TaskError, TaskState, commands};
use common::audit::{self, ActId, Details};
use common::ids::AgentTaskId;
use common::limits::REASON_CHARS_MAX;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::middleware::RequestId;
use crate::routes::agent_tasks::{AgentTaskDetails, AgentTaskPage, details};
use crate::routes::free_text;
use crate::routes::page::{self, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which tasks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AllAgentTasksQuery {
    /// Only tasks in this state.
    state: Option<TaskState>,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// How a dispute about a task ends, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolutionRequest {
    decision: TaskDecision,
    /// The provider's part of the price, in hundredths of a percent; for `split` alone.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000))]
    provider_basis_points: Option<u16>,
    /// The reason, which both participants read.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    note: String,
}

/// How a dispute about a task ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskDecision {
    /// The payer gets the price back.
    Refund,
    /// The provider is paid.
    Release,
    /// Each gets a part.
    Split,
}

/// A page, newest first.
pub async fn list_all_agent_tasks(
    State(state): State<ApiState>,
    Query(query): Query<AllAgentTasksQuery>,
) -> Result<Answer<AgentTaskPage>, ApiError> {
    let filter = PageFilter {
        state: query.state,
        after: page::cursor(query.cursor.as_ref(), Cursor::parse)?,
        limit: page::rows(query.limit)?,
        ..PageFilter::default()
    };
    let found = agent_tasks::list(state.pool(), &filter).await?;
    Ok(Answer::ok(found.into()))
}

/// One task of whomever, with the evidence.
pub async fn get_any_agent_task(
    State(state): State<ApiState>,
    Path(id): Path<AgentTaskId>,
) -> Result<Answer<AgentTaskDetails>, ApiError> {
    let task = agent_tasks::find(state.pool(), id).await?;
    let task = task.ok_or(TaskError::NotFound)?;
    Ok(Answer::ok(details(&state, task).await?))
}

/// Resolves a dispute about a task; the first decision stands.
pub async fn resolve_agent_task(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<AgentTaskId>,
    Json(new): Json<ResolutionRequest>,
) -> Result<Answer<AgentTaskDetails>, ApiError> {
    let decision = new.decision()?;
    let note = free_text::required("note", &new.note, REASON_CHARS_MAX)?;
    let said = Details {
        reason: Some(&note),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &said).await?;
    let task = commands::resolve(&state.outbox, id, decision, &note, &request_id.0).await?;
    tracing::warn!(task.id = %id, task.state = %task.state, "An operator resolved a dispute about a task");
    let paid_minor = task.paid_minor.unwrap_or_default();
    let (amount_minor, recipient) = match decision {
        Decision::Refund => (task.amount_minor, task.payer_id),
        Decision::Release | Decision::Split { .. } => (paid_minor, task.provider_id),
    };
    let moved = Details {
        amount: Some((amount_minor, &task.currency)),
        recipient: Some(recipient),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &moved).await?;
    Ok(Answer::ok(details(&state, task).await?))
}

impl ResolutionRequest {
    fn decision(&self) -> Result<Decision, ApiError> {
        let field = "providerBasisPoints";
        let fault = |fault: &str| Err(ApiError::fields(&[FieldFault::new(field, fault)]));
        match (self.decision, self.provider_basis_points) {
            (TaskDecision::Refund, None) => Ok(Decision::Refund),
            (TaskDecision::Release, None) => Ok(Decision::Release),
            (TaskDecision::Split, Some(provider_basis_points @ 0..=10_000)) => {
                Ok(Decision::Split {
                    provider_basis_points,
                })
            }
            (TaskDecision::Split, Some(_)) => fault("must be from 0 to 10000"),
            (TaskDecision::Split, None) => fault("is required for a split"),
            (_, Some(_)) => fault("is for a split alone"),
        }
    }
}
