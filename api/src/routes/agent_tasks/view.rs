//! A task on the wire.

use common::agent_tasks::{self, Evidence, EvidenceEntry, HistoryEntry, Participant, TaskState};
use common::agents::AgentId;
use common::db::PgPool;
use common::ids::AgentTaskId;
use common::wire::{Currency, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::follow::Status;
use crate::state::ApiState;

/// A task that an agent does for another.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentTask {
    task_id: AgentTaskId,
    /// The agent that pays.
    payer_agent_id: AgentId,
    /// The agent that does it.
    provider_agent_id: AgentId,
    /// What is to be done.
    capability: String,
    /// The price, in minor units. It is held until the task has ended.
    amount_minor: i64,
    currency: Currency,
    status: TaskState,
    /// What the provider is paid, in minor units, before the fee; null until then.
    paid_minor: Option<i64>,
    /// Why it ended so, or is disputed.
    note: Option<String>,
    /// What the payer thinks of it, in stars.
    rating: Option<i16>,
    /// Grows with each change; the entity tag begins with it.
    version: i64,
    /// When the state ends by itself; null if it does not.
    due_at: Option<Timestamp>,
    timestamps: AgentTaskTimes,
    /// Where the task is followed.
    status_url: String,
}

/// When a task changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentTaskTimes {
    /// When it was asked for.
    created: Timestamp,
    /// When the provider took it on.
    accepted: Option<Timestamp>,
    /// When the result came.
    delivered: Option<Timestamp>,
    /// When it ended.
    ended: Option<Timestamp>,
}

/// A task with what was said and what happened.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentTaskDetails {
    #[serde(flatten)]
    task: AgentTask,
    /// What the payer said with it.
    context: Map<String, Value>,
    /// What the provider delivered.
    result: Option<Map<String, Value>>,
    /// What both participants say about a dispute.
    evidence: Vec<TaskEvidence>,
    /// What happened, in its order.
    history: Vec<TaskEvent>,
}

/// A piece of evidence.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskEvidence {
    participant: Participant,
    /// The evidence itself.
    evidence: Evidence,
    /// When it was given.
    at: Timestamp,
}

/// Something that happened to a task.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskEvent {
    /// The type of the event, as webhooks have it.
    event: String,
    /// When it happened.
    at: Timestamp,
}

/// Where a task is followed.
pub fn status_url(id: AgentTaskId) -> String {
    format!("/api/agent-tasks/{id}")
}

/// A task with all of it.
pub async fn details(
    state: &ApiState,
    task: agent_tasks::AgentTask,
) -> Result<AgentTaskDetails, ApiError> {
    Ok(Followable::read(state.pool(), task).await?.details)
}

/// A task, to be followed by its two sides.
#[derive(Debug)]
pub struct Followable {
    version: i64,
    is_final: bool,
    details: AgentTaskDetails,
}

impl Followable {
    /// The task, with what else is known of it.
    pub async fn read(pool: &PgPool, task: agent_tasks::AgentTask) -> Result<Self, ApiError> {
        let evidence = agent_tasks::list_evidence(pool, task.id).await?;
        let history = agent_tasks::list_history(pool, task.id).await?;
        Ok(Self {
            version: task.version,
            is_final: task.state.is_final(),
            details: AgentTaskDetails {
                context: task.context.0.clone(),
                result: task.result.clone().map(|result| result.0),
                evidence: evidence.into_iter().map(TaskEvidence::from).collect(),
                history: history.into_iter().map(TaskEvent::from).collect(),
                task: task.into(),
            },
        })
    }
}

impl Status for Followable {
    type Body = AgentTaskDetails;

    fn version(&self) -> i64 {
        self.version
    }

    fn is_final(&self) -> bool {
        self.is_final
    }

    fn body(&self) -> AgentTaskDetails {
        self.details.clone()
    }
}

impl From<agent_tasks::AgentTask> for AgentTask {
    fn from(task: agent_tasks::AgentTask) -> Self {
        Self {
            task_id: task.id,
            payer_agent_id: task.payer_agent,
            provider_agent_id: task.provider_agent,
            capability: task.capability,
            amount_minor: task.amount_minor,
            currency: Currency(task.currency),
            status: task.state,
            paid_minor: task.paid_minor,
            note: task.note,
            rating: task.rating,
            version: task.version,
            due_at: task.due_at.map(Timestamp),
            timestamps: AgentTaskTimes {
                created: task.created_at.into(),
                accepted: task.accepted_at.map(Timestamp),
                delivered: task.delivered_at.map(Timestamp),
                ended: task.ended_at.map(Timestamp),
            },
            status_url: status_url(task.id),
        }
    }
}

impl From<EvidenceEntry> for TaskEvidence {
    fn from(entry: EvidenceEntry) -> Self {
        Self {
            participant: entry.participant,
            evidence: entry.body.0,
            at: entry.at.into(),
        }
    }
}

impl From<HistoryEntry> for TaskEvent {
    fn from(entry: HistoryEntry) -> Self {
        Self {
            event: entry.event_type,
            at: entry.at.into(),
        }
    }
}
