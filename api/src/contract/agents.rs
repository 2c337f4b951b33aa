//! Agents that do tasks for money.

use common::identity::Permission::Agents;
use common::limits::{AGENT_TTL, AGENTS_MAX};

use super::operation::{Operation, delete, get, patch, post};
use crate::access::Access::{Anyone, May};
use crate::routes::agents;

pub fn operations() -> Vec<Operation> {
    let all = registry().into_iter();
    all.map(|row| row.tagged("agents")).collect()
}

fn registry() -> Vec<Operation> {
    vec![
        post(
            "/api/agents",
            agents::create_agent,
            May(Agents),
            "Register an agent that does tasks",
        )
        .about(format!(
            "An account has at most {AGENTS_MAX} agents. An id is taken for ever: only its owner registers it again."
        ))
        .gives(201, "The agent, which is online.")
        .faults(&[409])
        .replayed(),
        get(
            "/api/agents/{agent_id}",
            agents::get_agent,
            Anyone,
            "Get an agent",
        )
        .gives(200, "The agent."),
        patch(
            "/api/agents/{agent_id}",
            agents::change_agent,
            May(Agents),
            "Change an agent",
        )
        .about("What the body leaves out stays as it is.")
        .gives(200, "The agent."),
        post(
            "/api/agents/{agent_id}/heartbeat",
            agents::send_heartbeat,
            May(Agents),
            "Send a heartbeat of an agent",
        )
        .about(format!(
            "An agent that sends none for {} minutes is offline, until its next one.",
            AGENT_TTL.as_secs() / 60
        ))
        .gives(200, "The agent, which is online."),
        delete(
            "/api/agents/{agent_id}",
            agents::unregister_agent,
            May(Agents),
            "Unregister an agent",
        )
        .empty(204, "It is on the market no more."),
    ]
}
