//! The facts of the market of agents, for operators: read by the leading scheduler, shown as metrics.

use std::time::Duration;

use prometheus::IntCounterVec;
use sqlx::PgPool;

use super::TaskState;
use crate::limits::MARKET_LABELS_MAX;
use crate::telemetry::{MarketMetrics, OTHER, metrics};

/// Reads all of them.
pub async fn observe(pool: &PgPool, time_to_live: Duration) -> Result<(), sqlx::Error> {
    let market = &metrics().market;
    observe_presence(pool, market, time_to_live).await?;
    observe_capabilities(pool, market).await?;
    observe_reputation(pool, market).await?;
    observe_tasks(pool, market).await
}

async fn observe_presence(
    pool: &PgPool,
    market: &MarketMetrics,
    time_to_live: Duration,
) -> Result<(), sqlx::Error> {
    let online: i64 = sqlx::query_scalar(
        "select count(*) from agents_on_market where seen_at > now() - make_interval(secs => $1)",
    )
    .bind(time_to_live.as_secs_f64())
    .fetch_one(pool)
    .await?;
    market.online.set(online as f64);
    Ok(())
}

/// The most frequent capabilities, and the rest.
async fn observe_capabilities(pool: &PgPool, market: &MarketMetrics) -> Result<(), sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "with counted as (
             select capability, count(*) as agents,
                    row_number() over (order by count(*) desc, capability) as place
             from agents_on_market
             cross join unnest(capabilities) as capability
             group by capability
         )
         select case when place <= $1 then capability else $2 end as label, sum(agents)::bigint
         from counted
         group by label",
    )
    .bind(MARKET_LABELS_MAX)
    .bind(OTHER)
    .fetch_all(pool)
    .await?;
    market.by_capability.reset();
    for (capability, agents) in rows {
        market
            .by_capability
            .with_label_values(&[&capability])
            .set(agents);
    }
    Ok(())
}

/// The agents with the most tasks of 30 days, and the rest.
async fn observe_reputation(pool: &PgPool, market: &MarketMetrics) -> Result<(), sqlx::Error> {
    let rows: Vec<(String, f64, i64, i64)> = sqlx::query_as(
        "with active as (
             select provider_agent as agent_id
             from agent_tasks
             where created_at > now() - interval '30 days'
             group by provider_agent
             order by count(*) desc, provider_agent
             limit $1
         )
         select case when active.agent_id is not null then agents.agent_id else $2 end as label,
                avg(reputation), sum(tasks_succeeded)::bigint, sum(tasks_failed)::bigint
         from agents
         left join active using (agent_id)
         where unregistered_at is null
         group by label",
    )
    .bind(MARKET_LABELS_MAX)
    .bind(OTHER)
    .fetch_all(pool)
    .await?;
    market.reputation.reset();
    for (agent, reputation, succeeded, failed) in rows {
        market
            .reputation
            .with_label_values(&[&agent])
            .set(reputation);
        count(&market.outcomes, &[&agent, "true"], succeeded);
        count(&market.outcomes, &[&agent, "false"], failed);
    }
    Ok(())
}

/// All tasks: of which capability, and in which state.
async fn observe_tasks(pool: &PgPool, market: &MarketMetrics) -> Result<(), sqlx::Error> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "with counted as (
             select capability, count(*) as tasks, count(*) filter (where is_disputed) as disputes,
                    row_number() over (order by count(*) desc, capability) as place
             from (
                 select capability, state = 'disputed' or state like 'resolved_%' as is_disputed
                 from agent_tasks
             ) as tasks
             group by capability
         )
         select case when place <= $1 then capability else $2 end as label,
                sum(tasks)::bigint, sum(disputes)::bigint
         from counted
         group by label",
    )
    .bind(MARKET_LABELS_MAX)
    .bind(OTHER)
    .fetch_all(pool)
    .await?;
    for (capability, tasks, disputes) in rows {
        count(&market.transactions, &[&capability], tasks);
        count(&market.disputes, &[&capability], disputes);
    }
    let states: Vec<(TaskState, i64)> =
        sqlx::query_as("select state, count(*) from agent_tasks group by state")
            .fetch_all(pool)
            .await?;
    for state in TaskState::ALL {
        let found = states.iter().find(|(found, _)| *found == state);
        let tasks = found.map_or(0, |(_, tasks)| *tasks);
        market
            .by_status
            .with_label_values(&[state.as_str()])
            .set(tasks);
    }
    let amounts: Vec<(String, i64)> = sqlx::query_as(
        "select currency, sum(amount_minor)::bigint from agent_tasks group by currency",
    )
    .fetch_all(pool)
    .await?;
    for (currency, amount_minor) in amounts {
        count(&market.amount, &[&currency], amount_minor);
    }
    Ok(())
}

/// Brings a counter to what was counted in all. It begins anew where that has become less: `other`, when one of its
/// own got a series.
fn count(counters: &IntCounterVec, labels: &[&str], total: i64) {
    let total = u64::try_from(total).unwrap_or_default();
    let counter = counters.with_label_values(labels);
    if counter.get() > total {
        counter.reset();
    }
    counter.inc_by(total - counter.get());
}
