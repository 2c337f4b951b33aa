//! `GET /api/ai/events`: what the caller may see of the event log, from a cursor on.

use std::time::Duration;

use axum::extract::State;
use common::events::{Cursor, FILTERS_MAX, Filter, Page, TailError, TypeFilter};
use common::identity::Principal;
use common::limits::{EVENT_IDS_MAX, EVENT_WAIT_SECONDS_MAX};
use common::telemetry::metrics;
use common::uploads::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::view::StreamedEvent;
use crate::contract::Answer;
use crate::credential_watch::CredentialWatch;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query};
use crate::routes::page::{self, ShortLimit};
use crate::state::ApiState;

/// Which events of the log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventTailQuery {
    /// The cursor after which to read; `latest` for the end of the log. From the oldest event on if nothing is said.
    after: Option<String>,
    /// Types and families of types, separated by commas.
    types: Option<String>,
    /// Streams, or ids of uploads, purchases, tasks and so on, separated by commas.
    ids: Option<String>,
}

/// Which events of the log, and how many.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventLogQuery {
    /// The cursor after which to read; `latest` for the end of the log. From the oldest event on if nothing is said.
    after: Option<String>,
    /// Types and families of types, separated by commas.
    types: Option<String>,
    /// Streams, or ids of uploads, purchases, tasks and so on, separated by commas.
    ids: Option<String>,
    limit: Option<ShortLimit>,
    /// Seconds to wait if there is no event yet.
    #[schemars(range(min = 0, max = EVENT_WAIT_SECONDS_MAX))]
    wait: Option<u64>,
}

/// Events, in their order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventLogPage {
    events: Vec<StreamedEvent>,
    /// Goes into `after` for what comes next. There always is one.
    next_cursor: String,
    /// Whether there is more to read at once.
    has_more: bool,
}

/// Reads on from a cursor; with `wait` until there is something to read.
pub async fn read_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<EventLogQuery>,
) -> Result<Answer<EventLogPage>, ApiError> {
    let limit = usize::try_from(page::rows(query.limit)?).unwrap_or_default();
    let tail = EventTailQuery {
        after: query.after,
        types: query.types,
        ids: query.ids,
    };
    let filter = tail.filter()?;
    let wait = Duration::from_secs(query.wait.unwrap_or_default());
    if wait.as_secs() > EVENT_WAIT_SECONDS_MAX {
        let message = format!("must be at most {EVENT_WAIT_SECONDS_MAX}");
        return Err(ApiError::fields(&[FieldFault::new("wait", message)]));
    }
    let after = tail.after(&state).await?;
    let page = read(&state, &principal, after, &filter, limit, wait).await?;
    let epoch = page.cursor.epoch;
    let events = page.events.iter();
    Ok(Answer::ok(EventLogPage {
        events: events
            .map(|event| StreamedEvent::of_log(event, epoch))
            .collect(),
        next_cursor: page.cursor.to_string(),
        has_more: page.has_more,
    })
    .uncached())
}

async fn read(
    state: &ApiState,
    principal: &Principal,
    mut after: Cursor,
    filter: &Filter,
    limit: usize,
    wait: Duration,
) -> Result<Page, ApiError> {
    let deadline = Instant::now() + wait;
    let mut listener = state.events.listen(principal.user);
    let mut credential = CredentialWatch::new(state, Some(principal));
    let _counted = Reading::start();
    loop {
        let page = state
            .events
            .read(principal.user, after, filter, limit)
            .await?;
        if !page.events.is_empty() || page.has_more && wait.is_zero() || Instant::now() >= deadline
        {
            return Ok(page);
        }
        after = page.cursor;
        if page.has_more {
            continue;
        }
        tokio::select! {
            biased;
            () = credential.due() => credential.check_if_due().await?,
            () = state.stopping.cancelled() => return Ok(page),
            () = tokio::time::sleep_until(deadline) => return Ok(page),
            () = listener.changed() => {}
        }
    }
}

/// Somebody who waits for events, for as long as it lives.
pub(super) struct Reading;

impl Reading {
    pub(super) fn start() -> Self {
        metrics().events.readers.inc();
        Self
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        metrics().events.readers.dec();
    }
}

impl EventTailQuery {
    /// Where to begin.
    pub(super) async fn after(&self, state: &ApiState) -> Result<Cursor, ApiError> {
        match self.after.as_deref() {
            None => Ok(state.events.beginning().await?),
            Some("latest") => Ok(state.events.end().await?),
            Some(text) => parse_cursor(text),
        }
    }

    /// What passes.
    pub(super) fn filter(&self) -> Result<Filter, ApiError> {
        let types = listed("types", self.types.as_deref(), FILTERS_MAX)?;
        let types = types.iter().map(|text| {
            TypeFilter::parse(text)
                .map_err(|error| ApiError::fields(&[FieldFault::new("types", error.to_string())]))
        });
        Ok(Filter {
            types: types.collect::<Result<_, _>>()?,
            ids: listed("ids", self.ids.as_deref(), EVENT_IDS_MAX)?,
        })
    }
}

/// A cursor of a client.
pub(super) fn parse_cursor(text: &str) -> Result<Cursor, ApiError> {
    text.parse()
        .map_err(|error| ApiError::fields(&[FieldFault::new("after", format!("{error}"))]))
}

fn listed(field: &str, text: Option<&str>, count_max: usize) -> Result<Vec<String>, ApiError> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    let parts: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    if parts.len() > count_max {
        let message = format!("must name at most {count_max}");
        return Err(ApiError::fields(&[FieldFault::new(field, message)]));
    }
    Ok(parts)
}

impl From<TailError> for ApiError {
    fn from(error: TailError) -> Self {
        match error {
            TailError::Foreign => Self::fields(&[FieldFault::new("after", error.to_string())]),
            TailError::Pruned(earliest) => {
                let mut gone = Self::new(
                    Code::CursorExpired,
                    "Events after this cursor are no longer kept.",
                );
                gone.details
                    .insert("earliest".to_owned(), earliest.to_string().into());
                gone
            }
            TailError::Database(error) => error.into(),
        }
    }
}
