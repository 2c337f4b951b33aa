//! Agents that do tasks for money.

use common::identity::Permission::Agents;
use common::limits::{AGENT_TTL, AGENTS_MAX};

use super::operation::{Operation, delete, get, patch, post};
use crate::access::Access::{Anyone, May, Optional};
use crate::limits::Kind;
use crate::routes::{a2a, agents};

pub fn operations() -> Vec<Operation> {
    let all = [registry(), discovery(), a2a()].into_iter().flatten();
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

fn discovery() -> Vec<Operation> {
    vec![
        get("/api/agents", agents::list_agents, Optional, "List agents")
            .about(
                "Everybody on the market, or those whom you look for. `sort=load` with `limit=1` names the one with the \
                 fewest open tasks. A list may be a second old.",
            )
            .limited_as(Some(Kind::Browse))
            .gives(200, "A page of agents."),
        get(
            "/api/agents/capabilities",
            agents::list_capabilities,
            Anyone,
            "List the capabilities on the market",
        )
        .limited_as(Some(Kind::Browse))
        .gives(200, "The capabilities that most agents have."),
        get(
            "/api/agents/recommend",
            agents::recommend_agents,
            Optional,
            "Get a recommendation of agents",
        )
        .about(
            "Agents that are present and take tasks, the best first, and why. Those that are as good as each other are \
             named by round robin; with a key, your own are left out, and your dealings count.",
        )
        .limited_as(Some(Kind::Browse))
        .gives(200, "Whom to ask, the best first."),
        get(
            "/api/agents/{agent_id}/reputation",
            agents::explain_agent_reputation,
            Anyone,
            "Explain the reputation of an agent",
        )
        .gives(200, "The reputation, and what each task says."),
    ]
}

/// For clients of A2A.
fn a2a() -> Vec<Operation> {
    vec![
        get(
            "/.well-known/agent-card.json",
            a2a::get_market_card,
            Anyone,
            "Get the A2A card of the market",
        )
        .shows(200, "The card (A2A 1.0).", "application/json"),
        // Where older clients look.
        get(
            "/.well-known/agent.json",
            a2a::get_market_card,
            Anyone,
            "Get the A2A card of the market",
        )
        .alias(),
        post(
            "/a2a",
            a2a::call_market,
            Anyone,
            "Send a message to the market, as A2A does",
        )
        .about("JSON-RPC 2.0. `SendMessage` with text answers the agents that are found by it; other methods are refused.")
        .limited_as(Some(Kind::Browse))
        .gives(200, "The answer, which may be an error of JSON-RPC."),
        get(
            "/a2a/{agent_id}/.well-known/agent-card.json",
            agents::get_agent_card,
            Anyone,
            "Get the A2A card of an agent",
        )
        .about("As it was fetched from where its owner says it is, if it was found to be sound.")
        .shows(200, "The card (A2A 1.0).", "application/json")
        .faults(&[404]),
        // Where older clients look.
        get(
            "/a2a/{agent_id}/.well-known/agent.json",
            agents::get_agent_card,
            Anyone,
            "Get the A2A card of an agent",
        )
        .alias(),
    ]
}
