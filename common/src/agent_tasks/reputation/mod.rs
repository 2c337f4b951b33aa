//! Reputation, from 0 to 5: what the ended tasks of an agent say of it, and nothing else.
//!
//! It is the mean of a Beta distribution. The prior is ten tasks of which half went well; each task that the agent
//! accepted and that has ended adds to one side or the other, by a weight that grows with its price, halves every 90
//! days, and is a part of it only for one who was there before: the n-th task of one payer counts an n-th. So a price
//! has to be paid for it, to the platform's fee, and two friends cannot raise each other far. An agent without
//! tasks has 2.5.

mod score;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use sqlx::PgPool;
use uuid::Uuid;

use super::TaskState;
use crate::agents::AgentId;
use crate::events::{LoggedEvent, Reaction};
use crate::ids::{AgentTaskId, UserId};
use crate::limits::{REPUTATION_STEP_ROWS_MAX, REPUTATION_TASKS_MAX};
use crate::outbox::{Outbox, Tx};

pub use score::{Reputation, Term};

/// A task that was accepted and has ended.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Outcome {
    pub task_id: AgentTaskId,
    pub payer_id: UserId,
    pub state: TaskState,
    pub amount_minor: i64,
    pub paid_minor: Option<i64>,
    pub rating: Option<i16>,
    pub ended_at: DateTime<Utc>,
    /// From its acceptance to its result.
    pub latency_seconds: Option<f64>,
}

const OUTCOMES: &str =
    "select id as task_id, payer_id, state, amount_minor, paid_minor, rating, ended_at,
        extract(epoch from delivered_at - accepted_at)::double precision as latency_seconds
    from agent_tasks
    where provider_agent = $1
      and accepted_at is not null
      and ended_at is not null
    order by ended_at desc, id desc
    limit $2";

/// The reputation of an agent at this time, worked out anew.
pub async fn explain(pool: &PgPool, agent: &AgentId) -> Result<Reputation, sqlx::Error> {
    let outcomes: Vec<Outcome> = sqlx::query_as(OUTCOMES)
        .bind(agent)
        .bind(REPUTATION_TASKS_MAX)
        .fetch_all(pool)
        .await?;
    Ok(Reputation::of(&outcomes, Utc::now()))
}

/// Makes the figures old of those agents whose tasks have ended or were rated.
pub fn note_outcomes<'a>(tx: &'a mut Tx, events: &'a [LoggedEvent]) -> Reaction<'a> {
    async move {
        let tasks: Vec<Uuid> = events.iter().map(|event| event.stream).collect();
        sqlx::query(
            "update agents
             set score_due_at = now()
             from agent_tasks
             where agent_tasks.id = any($1)
               and accepted_at is not null
               and ended_at is not null
               and agent_id = provider_agent",
        )
        .bind(tasks)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
    .boxed()
}

/// Works out the figures of agents anew whose figures are old, a step of them; answers how many.
pub async fn score_due(outbox: &Outbox) -> Result<i64, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let due: Vec<AgentId> = sqlx::query_scalar(
        "select agent_id
         from agents
         where score_due_at <= now()
         order by score_due_at
         limit $1
         for no key update skip locked",
    )
    .bind(REPUTATION_STEP_ROWS_MAX)
    .fetch_all(&mut *tx)
    .await?;
    for agent in &due {
        score_in_tx(&mut tx, agent).await?;
    }
    tx.commit().await?;
    Ok(due.len() as i64)
}

async fn score_in_tx(tx: &mut Tx, agent: &AgentId) -> Result<(), sqlx::Error> {
    let outcomes: Vec<Outcome> = sqlx::query_as(OUTCOMES)
        .bind(agent)
        .bind(REPUTATION_TASKS_MAX)
        .fetch_all(&mut **tx)
        .await?;
    let reputation = Reputation::of(&outcomes, Utc::now());
    sqlx::query(
        "update agents
         set reputation = $2, evidence = $3, counterparties = $4, tasks_succeeded = $5, tasks_failed = $6,
             latency_seconds = $7, score_due_at = case when $3 > 0 then now() + interval '1 day' end
         where agent_id = $1",
    )
    .bind(agent)
    .bind(reputation.score)
    .bind(reputation.evidence)
    .bind(reputation.counterparties)
    .bind(reputation.succeeded)
    .bind(reputation.failed)
    .bind(reputation.latency_seconds)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
