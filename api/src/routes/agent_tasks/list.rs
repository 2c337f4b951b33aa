//! `GET /api/agent-tasks`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use common::agent_tasks::{self, Cursor, PageFilter, Role, TaskState};
use common::agents::AgentId;
use common::identity::Principal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::view::AgentTask;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Query, moment};
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which of the caller's tasks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentTaskQuery {
    /// Only those that you pay, or that you do.
    role: Option<Role>,
    /// Only those of this agent.
    agent_id: Option<AgentId>,
    /// Only those in this state.
    status: Option<TaskState>,
    /// Only those that were asked for at this time or later.
    #[serde(deserialize_with = "moment::optional")]
    from: Option<DateTime<Utc>>,
    /// Only those that were asked for before this time.
    #[serde(deserialize_with = "moment::optional")]
    to: Option<DateTime<Utc>>,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// A page of tasks, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentTaskPage {
    tasks: Vec<AgentTask>,
    next_cursor: NextCursor,
}

/// The caller's tasks, newest first.
pub async fn list_agent_tasks(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<AgentTaskQuery>,
) -> Result<Answer<AgentTaskPage>, ApiError> {
    let found = agent_tasks::list(state.pool(), &query.filter(&principal)?).await?;
    Ok(Answer::ok(found.into()))
}

impl From<agent_tasks::Page> for AgentTaskPage {
    fn from(page: agent_tasks::Page) -> Self {
        Self {
            tasks: page.tasks.into_iter().map(AgentTask::from).collect(),
            next_cursor: NextCursor::new(page.next),
        }
    }
}

impl AgentTaskQuery {
    fn filter(self, principal: &Principal) -> Result<PageFilter, ApiError> {
        Ok(PageFilter {
            user: Some(principal.user),
            role: self.role,
            agent: self.agent_id,
            state: self.status,
            from: self.from,
            to: self.to,
            after: page::cursor(self.cursor.as_ref(), Cursor::parse)?,
            limit: page::rows(self.limit)?,
        })
    }
}
