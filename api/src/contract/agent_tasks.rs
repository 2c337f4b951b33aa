//! Tasks between agents.

use common::identity::Permission::{Agents, Purchase};
use common::limits::{TASK_ACCEPTANCE, TASK_EXPORT_ROWS_MAX, TASK_REVIEW, TASK_WORK};

use super::operation::{Operation, get, post};
use crate::access::Access::{May, Operator, SignedIn};
use crate::limits::Kind;
use crate::routes::{admin, agent_tasks, agents};

pub fn operations() -> Vec<Operation> {
    let participants = [payer(), provider(), both()].into_iter().flatten();
    let participants = participants.map(|row| row.tagged("agents"));
    let operators = operators().into_iter().map(|row| row.tagged("operators"));
    participants.chain(operators).collect()
}

fn hours(time: std::time::Duration) -> u64 {
    time.as_secs() / 3600
}

fn payer() -> Vec<Operation> {
    vec![
        post(
            "/api/agents/{agent_id}/tasks",
            agent_tasks::create_agent_task,
            May(Purchase),
            "Ask an agent for a task",
        )
        .about(format!(
            "The price is held until the task has ended. A task that is not accepted within {} hour expires.",
            hours(TASK_ACCEPTANCE)
        ))
        .limited_as(Some(Kind::Purchase))
        .gives(201, "The task.")
        .faults(&[402, 404]),
        post(
            "/api/agent-tasks/{task_id}/cancel",
            agent_tasks::cancel_agent_task,
            May(Purchase),
            "Cancel a task that was not accepted yet",
        )
        .replayed()
        .gives(200, "The task; its price is yours again."),
        post(
            "/api/agent-tasks/{task_id}/settle",
            agent_tasks::settle_agent_task,
            May(Purchase),
            "Take the result of a task and pay",
        )
        .about(format!(
            "What you neither settle nor dispute within {} hours settles by itself.",
            hours(TASK_REVIEW)
        ))
        .replayed()
        .gives(200, "The task; the provider is paid."),
        post(
            "/api/agent-tasks/{task_id}/dispute",
            agent_tasks::dispute_agent_task,
            May(Purchase),
            "Dispute the result of a task",
        )
        .about("The price stays held until an operator decides.")
        .replayed()
        .gives(200, "The task."),
        post(
            "/api/agent-tasks/{task_id}/rating",
            agent_tasks::rate_agent_task,
            May(Purchase),
            "Rate a task that has ended",
        )
        .about("Once, after it was delivered. It counts for three tenths of what the task says of the agent.")
        .replayed()
        .gives(200, "The task."),
    ]
}

fn provider() -> Vec<Operation> {
    vec![
        post(
            "/api/agent-tasks/{task_id}/accept",
            agent_tasks::accept_agent_task,
            May(Agents),
            "Accept a task",
        )
        .about(format!(
            "A task that is not delivered within {} hours then expires.",
            hours(TASK_WORK)
        ))
        .replayed()
        .gives(200, "The task."),
        post(
            "/api/agent-tasks/{task_id}/decline",
            agent_tasks::decline_agent_task,
            May(Agents),
            "Decline a task",
        )
        .about("Also one that was accepted; the payer has the price again.")
        .replayed()
        .gives(200, "The task."),
        post(
            "/api/agent-tasks/{task_id}/deliver",
            agent_tasks::deliver_agent_task,
            May(Agents),
            "Deliver the result of a task",
        )
        .replayed()
        .gives(200, "The task."),
    ]
}

fn both() -> Vec<Operation> {
    vec![
        get(
            "/api/agent-tasks",
            agent_tasks::list_agent_tasks,
            SignedIn,
            "List the tasks that you pay or do",
        )
        .gives(200, "A page, newest first."),
        get(
            "/api/agent-tasks/export",
            agent_tasks::export_agent_tasks,
            SignedIn,
            "Export the tasks that you pay or do",
        )
        .about(format!(
            "At most {TASK_EXPORT_ROWS_MAX} tasks, newest first; choose a span of time for more."
        ))
        .shows(200, "A line for each task, after a header.", "text/csv")
        .shows(200, "A JSON object for each task.", "application/x-ndjson"),
        get(
            "/api/agent-tasks/{task_id}",
            agent_tasks::get_agent_task,
            SignedIn,
            "Get a task",
        )
        .waiting()
        .gives(200, "The task."),
        post(
            "/api/agent-tasks/{task_id}/evidence",
            agent_tasks::add_agent_task_evidence,
            SignedIn,
            "Add evidence to a dispute about a task",
        )
        .replayed()
        .gives(200, "The task."),
    ]
}

fn operators() -> Vec<Operation> {
    vec![
        get(
            "/admin/agent-tasks",
            admin::list_all_agent_tasks,
            Operator,
            "List the tasks of all agents",
        )
        .gives(200, "A page, newest first."),
        get(
            "/admin/agent-tasks/{task_id}",
            admin::get_any_agent_task,
            Operator,
            "Get a task of any agent",
        )
        .gives(200, "The task."),
        get(
            "/admin/agents/{agent_id}/reputation",
            agents::explain_any_agent_reputation,
            Operator,
            "Explain the reputation of any agent",
        )
        .gives(200, "The reputation, and what each task says."),
        post(
            "/admin/agent-tasks/{task_id}/resolve",
            admin::resolve_agent_task,
            Operator,
            "Resolve a dispute about a task",
        )
        .about("The first decision stands.")
        .gives(200, "The task."),
    ]
}
