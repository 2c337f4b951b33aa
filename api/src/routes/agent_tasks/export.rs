//! `GET /api/agent-tasks/export`: what bookkeeping wants, a line for each task, read a page at a time.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use common::agent_tasks::{self, AgentTask, PageFilter, Role, TaskState};
use common::agents::AgentId;
use common::db::{self, PgPool};
use common::limits::{PAGE_ROWS_MAX, TASK_EXPORT_ROWS_MAX};
use common::money::decimal_text;
use futures::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::extract::{Caller, Query, moment};
use crate::state::ApiState;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// RFC 4180, with a header.
    #[default]
    Csv,
    /// A JSON object on each line.
    Ndjson,
}

/// Which of the caller's tasks, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportQuery {
    /// `csv` if nothing is said.
    format: ExportFormat,
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
}

/// A line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    task_id: String,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    payer_agent_id: &'a str,
    provider_agent_id: &'a str,
    capability: Cow<'a, str>,
    amount: String,
    paid: Option<String>,
    currency: &'a str,
    status: &'static str,
}

/// The caller's tasks, newest first.
pub async fn export_agent_tasks(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let format = query.format;
    let filter = PageFilter {
        user: Some(principal.user),
        role: query.role,
        agent: query.agent_id,
        state: query.status,
        from: query.from,
        to: query.to,
        after: None,
        limit: PAGE_ROWS_MAX,
    };
    let (media_type, name) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "agent-tasks.csv"),
        ExportFormat::Ndjson => ("application/x-ndjson", "agent-tasks.ndjson"),
    };
    // The first page is read before the answer begins, so that what is wrong is said.
    let first = Export::begin(state.pool().clone(), format, filter)
        .next()
        .await?;
    let lines = stream::try_unfold(first, |step| async move {
        match step {
            None => Ok::<_, db::Error>(None),
            Some((bytes, export)) => Ok(Some((bytes, export.next().await?))),
        }
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// What is left to be written.
struct Export {
    pool: PgPool,
    format: ExportFormat,
    filter: PageFilter,
    /// Rows that may still come; none when the last page was read.
    left: Option<i64>,
    is_begun: bool,
}

impl Export {
    fn begin(pool: PgPool, format: ExportFormat, filter: PageFilter) -> Self {
        Self {
            pool,
            format,
            filter,
            left: Some(TASK_EXPORT_ROWS_MAX),
            is_begun: false,
        }
    }

    /// The next lines, and what is left then.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, db::Error> {
        let Some(left) = self.left else {
            return Ok(None);
        };
        self.filter.limit = left.min(PAGE_ROWS_MAX);
        let page = agent_tasks::list(&self.pool, &self.filter).await?;
        let bytes = self.lines(&page.tasks);
        let left = left - self.filter.limit;
        self.left = (page.next.is_some() && left > 0).then_some(left);
        self.filter.after = page.next;
        self.is_begun = true;
        Ok(Some((bytes.into(), self)))
    }

    fn lines(&self, tasks: &[AgentTask]) -> Vec<u8> {
        let lines = tasks.iter().map(Line::of);
        match self.format {
            ExportFormat::Ndjson => lines
                .flat_map(|line| {
                    let mut text = serde_json::to_vec(&line).expect("a line serialises");
                    text.push(b'\n');
                    text
                })
                .collect(),
            ExportFormat::Csv => {
                let mut writer = csv::WriterBuilder::new()
                    .has_headers(!self.is_begun)
                    .terminator(csv::Terminator::CRLF)
                    .from_writer(Vec::new());
                for line in lines {
                    writer
                        .serialize(line.for_sheets())
                        .expect("memory takes it");
                }
                writer.into_inner().expect("memory takes it")
            }
        }
    }
}

impl<'a> Line<'a> {
    fn of(task: &'a AgentTask) -> Self {
        Self {
            task_id: task.id.to_string(),
            created_at: task.created_at,
            ended_at: task.ended_at,
            payer_agent_id: task.payer_agent.as_str(),
            provider_agent_id: task.provider_agent.as_str(),
            capability: task.capability.as_str().into(),
            amount: decimal_text(task.amount_minor),
            paid: task.paid_minor.map(decimal_text),
            currency: &task.currency,
            status: task.state.as_str(),
        }
    }

    /// The same for spreadsheets, which would take a text that begins so for a formula.
    fn for_sheets(mut self) -> Self {
        if self.capability.starts_with(['=', '+', '-', '@']) {
            self.capability = format!("'{}", self.capability).into();
        }
        self
    }
}
