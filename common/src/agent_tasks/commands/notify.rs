//! Says what became of a task: an event, a webhook to both participants, and a notification to whoever waits.

use serde::Serialize;
use serde_json::json;

use crate::agent_tasks::{AgentTask, CHANGED, TaskState};
use crate::agents::AgentId;
use crate::events;
use crate::ids::AgentTaskId;
use crate::outbox::Tx;
use crate::webhooks::{self, EventType, NewEvent};

/// The body of the webhook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskChanged<'a> {
    event: &'static str,
    task_id: AgentTaskId,
    payer_agent_id: &'a AgentId,
    provider_agent_id: &'a AgentId,
    capability: &'a str,
    amount_minor: i64,
    currency: &'a str,
    status: TaskState,
    paid_minor: Option<i64>,
    note: Option<&'a str>,
}

/// Writes all of it into the transaction in which the task came into its state.
pub(super) async fn notify_in_tx(
    tx: &mut Tx,
    task: &AgentTask,
    trace: &str,
) -> Result<(), sqlx::Error> {
    let event_type = event_type(task.state);
    let data = json!({
        "state": task.state,
        "payerAgentId": task.payer_agent,
        "providerAgentId": task.provider_agent,
        "capability": task.capability,
        "amountMinor": task.amount_minor,
        "currency": task.currency,
        "paidMinor": task.paid_minor,
        "note": task.note,
    });
    events::append_in_tx(tx, task.id.0, event_type.as_str(), trace, data).await?;
    let body = TaskChanged {
        event: event_type.as_str(),
        task_id: task.id,
        payer_agent_id: &task.payer_agent,
        provider_agent_id: &task.provider_agent,
        capability: &task.capability,
        amount_minor: task.amount_minor,
        currency: &task.currency,
        status: task.state,
        paid_minor: task.paid_minor,
        note: task.note.as_deref(),
    };
    let body = serde_json::to_vec(&body).expect("plain text serialises");
    for owner in [task.payer_id, task.provider_id] {
        let event = NewEvent {
            owner,
            subject: task.id.0,
            event_type,
            occasion: None,
            body: body.clone(),
            trace: trace.into(),
            address: None,
        };
        webhooks::announce_in_tx(tx, &event).await?;
    }
    tx.announce(CHANGED, task.id.to_string());
    Ok(())
}

fn event_type(state: TaskState) -> EventType {
    match state {
        TaskState::Pending => EventType::AgentTaskRequested,
        TaskState::Accepted => EventType::AgentTaskAccepted,
        TaskState::Delivered => EventType::AgentTaskDelivered,
        TaskState::Settled => EventType::AgentTaskSettled,
        TaskState::Cancelled => EventType::AgentTaskCancelled,
        TaskState::Expired => EventType::AgentTaskExpired,
        TaskState::Disputed => EventType::AgentTaskDisputed,
        TaskState::ResolvedRefund | TaskState::ResolvedRelease | TaskState::ResolvedSplit => {
            EventType::AgentTaskResolved
        }
    }
}
