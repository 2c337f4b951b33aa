//! Lists of tasks, newest first. The cursor is the place of a row: what comes meanwhile neither repeats nor hides others.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{AgentTask, TaskState};
use crate::agents::AgentId;
use crate::ids::{AgentTaskId, UserId};

/// From which side tasks are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TaskRole")]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Those that the user asked for.
    Payer,
    /// Those that the user was asked for.
    Provider,
}

/// The place of a task in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: DateTime<Utc>,
    id: AgentTaskId,
}

impl Cursor {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('.')?;
        Some(Self {
            at: DateTime::from_timestamp_micros(micros.parse().ok()?)?,
            id: AgentTaskId::parse(id)?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_micros(), self.id)
    }
}

/// Which tasks to list.
#[derive(Debug, Clone, Default)]
pub struct PageFilter {
    /// Those of which this user is a side; none for all tasks.
    pub user: Option<UserId>,
    /// Which side of the two the user is on.
    pub role: Option<Role>,
    /// Those of which this agent is a side.
    pub agent: Option<AgentId>,
    pub state: Option<TaskState>,
    /// Asked for at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Asked for before this time.
    pub to: Option<DateTime<Utc>>,
    pub after: Option<Cursor>,
    pub limit: i64,
}

/// Part of a list.
#[derive(Debug)]
pub struct Page {
    pub tasks: Vec<AgentTask>,
    /// Where the next page begins, none after the last.
    pub next: Option<Cursor>,
}

/// One page.
pub async fn list(pool: &PgPool, filter: &PageFilter) -> Result<Page, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select * from (");
    // A side at a time, so that each is read in order from its index.
    let sides: &[Option<&str>] = match (filter.user, filter.role) {
        (None, _) => &[None],
        (Some(_), Some(Role::Payer)) => &[Some("payer_id")],
        (Some(_), Some(Role::Provider)) => &[Some("provider_id")],
        (Some(_), None) => &[Some("payer_id"), Some("provider_id")],
    };
    for (number, side) in sides.iter().enumerate() {
        query.push(match number {
            0 => "(select * from agent_tasks where true",
            _ => " union all (select * from agent_tasks where true",
        });
        if let (Some(side), Some(user)) = (side, filter.user) {
            query.push(format!(" and {side} = ")).push_bind(user);
        }
        filter.push(&mut query);
        query.push(" order by created_at desc, id desc limit ");
        query.push_bind(filter.limit + 1).push(")");
    }
    query.push(") as tasks order by created_at desc, id desc limit ");
    // One more than asked for tells whether there is another page.
    query.push_bind(filter.limit + 1);
    let mut tasks: Vec<AgentTask> = query.build_query_as().fetch_all(pool).await?;
    let rows_max = usize::try_from(filter.limit).unwrap_or_default();
    let has_more = tasks.len() > rows_max;
    tasks.truncate(rows_max);
    let last = tasks.last().filter(|_| has_more);
    Ok(Page {
        next: last.map(|task| Cursor {
            at: task.created_at,
            id: task.id,
        }),
        tasks,
    })
}

impl PageFilter {
    /// The conditions on a task, whosever it is.
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(agent) = &self.agent {
            query.push(" and ").push_bind(agent.clone());
            query.push(" in (payer_agent, provider_agent)");
        }
        if let Some(state) = self.state {
            query.push(" and state = ").push_bind(state);
        }
        if let Some(from) = self.from {
            query.push(" and created_at >= ").push_bind(from);
        }
        if let Some(to) = self.to {
            query.push(" and created_at < ").push_bind(to);
        }
        if let Some(after) = self.after {
            query.push(" and (created_at, id) < (").push_bind(after.at);
            query.push(", ").push_bind(after.id).push(")");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor {
            at: DateTime::from_timestamp_micros(1_767_323_045_678_901).unwrap(),
            id: AgentTaskId::new(),
        };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", ".", "1", "1.tsk_1", &cursor.id.to_string()] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
