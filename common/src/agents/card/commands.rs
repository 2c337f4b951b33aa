//! What changes cards.

use std::time::Duration;

use sqlx::types::Json;

use super::{AgentSkill, CardState};
use crate::agents::Agent;
use crate::ids::{CardFetchId, UserId};
use crate::jobs::{self, Cost, JobName, Lease, LeaseLost, NewJob};
use crate::limits::{CARD_RENEWAL, CARD_RENEWALS_MAX};
use crate::outbox::{Outbox, Tx};

/// What a fetch found.
#[derive(Debug)]
pub struct CardFound {
    pub document: String,
    pub skills: Vec<AgentSkill>,
}

/// Forgets what was known of the card of an agent, and asks for it where the agent says now that it is.
pub(in crate::agents) async fn request_in_tx(
    tx: &mut Tx,
    agent: &Agent,
    trace: &str,
) -> Result<(), sqlx::Error> {
    if agent.profile.card_url.is_none() {
        sqlx::query("delete from agent_cards where agent_id = $1")
            .bind(&agent.agent_id)
            .execute(&mut **tx)
            .await?;
        return Ok(());
    }
    let fetch = CardFetchId::new();
    sqlx::query(
        "insert into agent_cards (agent_id, fetch_id)
         values ($1, $2)
         on conflict (agent_id) do update
         set fetch_id = excluded.fetch_id,
             state = 'pending',
             fault = null,
             document = null,
             skills = '[]',
             requested_at = now(),
             checked_at = null",
    )
    .bind(&agent.agent_id)
    .bind(fetch)
    .execute(&mut **tx)
    .await?;
    enqueue_in_tx(tx, fetch, agent.owner_id, trace).await
}

/// Asks again for the cards that were asked for a day ago, a step of them; answers how many.
pub async fn renew(outbox: &Outbox) -> Result<usize, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let old: Vec<(String, UserId)> = sqlx::query_as(
        "select agent_cards.agent_id, owner_id
         from agent_cards
         join agents using (agent_id)
         where requested_at < now() - make_interval(secs => $1)
           and unregistered_at is null
         order by requested_at
         limit $2
         for update of agent_cards skip locked",
    )
    .bind(CARD_RENEWAL.as_secs_f64())
    .bind(CARD_RENEWALS_MAX)
    .fetch_all(&mut *tx)
    .await?;
    for (agent, owner) in &old {
        let fetch = CardFetchId::new();
        sqlx::query(
            "update agent_cards set fetch_id = $2, requested_at = now() where agent_id = $1",
        )
        .bind(agent)
        .bind(fetch)
        .execute(&mut *tx)
        .await?;
        enqueue_in_tx(&mut tx, fetch, *owner, "renew_cards").await?;
    }
    tx.commit().await?;
    Ok(old.len())
}

/// Writes down what a fetch found, or why there is nothing, and ends its job. What a later fetch has replaced
/// changes nothing.
pub async fn record(
    outbox: &Outbox,
    lease: &Lease,
    found: Result<CardFound, String>,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let (state, fault, document, skills) = match found {
        Ok(found) => (
            CardState::Verified,
            None,
            Some(found.document),
            found.skills,
        ),
        Err(fault) => (CardState::Refused, Some(fault), None, Vec::new()),
    };
    // As whoever changes the agent: first its row, then that of its card.
    sqlx::query(
        "select
         from agents
         where agent_id = (select agent_id from agent_cards where fetch_id = $1)
         for no key update",
    )
    .bind(lease.subject)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "update agent_cards
         set state = $2, fault = $3, document = $4, skills = $5, checked_at = now()
         where fetch_id = $1",
    )
    .bind(lease.subject)
    .bind(state)
    .bind(fault)
    .bind(document)
    .bind(Json(skills))
    .execute(&mut *tx)
    .await?;
    if let Err(lost) = jobs::finish_in_tx(&mut tx, lease).await? {
        return Ok(Err(lost));
    }
    tx.commit().await?;
    Ok(Ok(()))
}

async fn enqueue_in_tx(
    tx: &mut Tx,
    fetch: CardFetchId,
    owner: UserId,
    trace: &str,
) -> Result<(), sqlx::Error> {
    tx.enqueue(&NewJob {
        name: JobName::FetchAgentCard,
        subject: fetch.0,
        tenant: Some(owner),
        cost: Cost::UNKNOWN,
        trace: trace.to_owned(),
        delay: Duration::ZERO,
    })
    .await
}
