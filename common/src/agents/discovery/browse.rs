//! Lists of agents: filters, sorts, and pages that do not shift while somebody turns them.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Postgres, QueryBuilder};

use crate::agents::{Agent, AgentId, Availability};
use crate::ids::UserId;
use crate::limits::{CAPABILITY_SUMMARY_ROWS_MAX, SEARCH_TERMS_MAX};

/// Whether an agent needs all capabilities that are asked for, or one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CapabilityMatch")]
#[serde(rename_all = "lowercase")]
pub enum Match {
    #[default]
    Any,
    All,
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AgentSort")]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// The best first.
    #[default]
    Reputation,
    /// The cheapest first.
    Cost,
    /// The quickest first.
    Latency,
    /// The one with the fewest open tasks first.
    Load,
}

impl Sort {
    /// What is sorted by; an index of the schema has each.
    fn key(self) -> &'static str {
        match self {
            Self::Reputation => "(-reputation)",
            Self::Cost => "cost_per_task_minor::double precision",
            Self::Latency => "coalesce(latency_seconds, 'infinity')",
            Self::Load => "open_tasks::double precision",
        }
    }
}

/// Whom to look for. Nothing said means everybody on the market.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    /// As capabilities are kept.
    pub capabilities: Vec<String>,
    pub capability_match: Match,
    pub cost_max_minor: Option<i64>,
    pub availability: Option<Availability>,
    /// Only those who gave a sign of life within this time.
    pub seen_within: Option<Duration>,
    pub reputation_min: Option<f64>,
    /// Words of names, capabilities, skills and descriptions.
    pub query: Option<String>,
    pub owner: Option<UserId>,
    pub not_of: Option<UserId>,
}

/// The place of an agent in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    key: f64,
    id: AgentId,
}

impl Cursor {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (bits, id) = text.split_once('.')?;
        Some(Self {
            key: f64::from_bits(u64::from_str_radix(bits, 16).ok()?),
            id: AgentId::parse(id)?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}", self.key.to_bits(), self.id)
    }
}

/// Part of a list.
#[derive(Debug)]
pub struct Page {
    pub agents: Vec<Agent>,
    /// Where the next page begins, none after the last.
    pub next: Option<Cursor>,
}

#[derive(sqlx::FromRow)]
struct Row {
    key: f64,
    #[sqlx(flatten)]
    agent: Agent,
}

/// One page.
pub async fn list(
    pool: &PgPool,
    filters: &Filters,
    sort: Sort,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Page, sqlx::Error> {
    let key = sort.key();
    let words = match &filters.query {
        Some(text) => Some(read_words(pool, text).await?),
        None => None,
    };
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "select agents_on_market.*, {key} as key from agents_on_market where true"
    ));
    filters.push(&mut query);
    if let Some(words) = words {
        query
            .push(" and search @@ ")
            .push_bind(words)
            .push("::tsquery");
    }
    if let Some(after) = after {
        query.push(format!(" and ({key}, agent_id) > ("));
        query
            .push_bind(after.key)
            .push(", ")
            .push_bind(after.id.clone())
            .push(")");
    }
    query.push(format!(" order by {key}, agent_id limit "));
    // One more than asked for tells whether there is another page.
    query.push_bind(limit + 1);
    let mut rows: Vec<Row> = query.build_query_as().fetch_all(pool).await?;
    let rows_max = usize::try_from(limit).unwrap_or_default();
    let has_more = rows.len() > rows_max;
    rows.truncate(rows_max);
    let last = rows.last().filter(|_| has_more);
    Ok(Page {
        next: last.map(|row| Cursor {
            key: row.key,
            id: row.agent.agent_id.clone(),
        }),
        agents: rows.into_iter().map(|row| row.agent).collect(),
    })
}

/// Reads words into a tsquery. Common words count only if there is nothing else.
///
/// By a statement of its own: whether a list is read in its order or by its words depends on how many agents have
/// them, and the planner knows that of a tsquery that it sees.
async fn read_words(pool: &PgPool, text: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(
             string_agg('(' || matches || ')', ' & ') filter (where not is_common),
             string_agg('(' || matches || ')', ' & '),
             ''
         )
         from search_terms($1, $2)",
    )
    .bind(text)
    .bind(SEARCH_TERMS_MAX)
    .fetch_one(pool)
    .await
}

impl Filters {
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        if !self.capabilities.is_empty() {
            query.push(match self.capability_match {
                Match::Any => " and capabilities && ",
                Match::All => " and capabilities @> ",
            });
            query.push_bind(self.capabilities.clone());
        }
        if let Some(cost) = self.cost_max_minor {
            query.push(" and cost_per_task_minor <= ").push_bind(cost);
        }
        if let Some(availability) = self.availability {
            query.push(" and availability = ").push_bind(availability);
        }
        if let Some(time) = self.seen_within {
            query.push(" and seen_at > now() - make_interval(secs => ");
            query.push_bind(time.as_secs_f64()).push(")");
        }
        if let Some(reputation) = self.reputation_min {
            query.push(" and reputation >= ").push_bind(reputation);
        }
        if let Some(owner) = self.owner {
            query.push(" and owner_id = ").push_bind(owner);
        }
        if let Some(owner) = self.not_of {
            query.push(" and owner_id <> ").push_bind(owner);
        }
    }
}

/// A capability, and who has it.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct CapabilitySummary {
    /// The capability.
    pub capability: String,
    /// Agents that have it.
    pub agents: i64,
    /// Those of them that take tasks, as they say.
    pub available: i64,
    /// What the cheapest of them costs, in minor units.
    pub cost_min_minor: i64,
    /// The best reputation among them.
    pub reputation_max: f64,
}

/// The capabilities that most agents have.
pub async fn capabilities(pool: &PgPool) -> Result<Vec<CapabilitySummary>, sqlx::Error> {
    sqlx::query_as(
        "select capability, count(*) as agents,
                count(*) filter (where availability in ('online', 'busy')) as available,
                min(cost_per_task_minor) as cost_min_minor, max(reputation) as reputation_max
         from agents_on_market
         cross join unnest(capabilities) as capability
         group by capability
         order by agents desc, capability
         limit $1",
    )
    .bind(CAPABILITY_SUMMARY_ROWS_MAX)
    .fetch_all(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for key in [-4.75, 0.0, 250.0, f64::INFINITY] {
            let id = AgentId::parse("vision-broker_7").unwrap();
            let cursor = Cursor { key, id };
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
        for text in ["", ".", "zz.broker", "1.", "1.a b"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
