//! `GET /api/ai/events/stream`: the same as server-sent events. The id of each is the cursor after it, so that a client
//! that comes back with `Last-Event-ID` goes on where it was.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use common::events::{Cursor, Filter, Listener, LoggedEvent};
use common::ids::UserId;
use common::limits::{EVENT_STREAM_SECONDS_MAX, EVENTS_READ_MAX};
use tokio::time::Instant;

use super::log::{EventTailQuery, Reading, parse_cursor};
use super::view::StreamedEvent;
use crate::credential_watch::{CredentialWatch, last_event};
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::state::ApiState;

/// A quiet stream says this often how far it has read: proxies keep it open, and a client that comes back goes on there.
const CHECKPOINT: Duration = Duration::from_secs(15);

/// Sends events as they happen.
pub async fn stream_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    Query(query): Query<EventTailQuery>,
) -> Result<Response, ApiError> {
    let last_id = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let cursor = match last_id.filter(|id| !id.is_empty()) {
        Some(id) => parse_cursor(id)?,
        None => query.after(&state).await?,
    };
    let mut stream = Stream {
        listener: state.events.listen(principal.user),
        credential: CredentialWatch::new(&state, Some(&principal)),
        user: principal.user,
        filter: query.filter()?,
        cursor,
        ready: VecDeque::new(),
        deadline: Instant::now() + Duration::from_secs(EVENT_STREAM_SECONDS_MAX),
        has_ended: false,
        _counted: Reading::start(),
        state,
    };
    // What is wrong with the cursor is said in the status, where clients see it.
    stream.read().await?;
    let events = futures::stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    let mut response = Sse::new(events).into_response();
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Stream {
    state: ApiState,
    listener: Listener,
    credential: CredentialWatch,
    user: UserId,
    filter: Filter,
    /// All up to here was read.
    cursor: Cursor,
    /// What was read and is to be sent.
    ready: VecDeque<Arc<LoggedEvent>>,
    deadline: Instant,
    has_ended: bool,
    _counted: Reading,
}

impl Stream {
    async fn read(&mut self) -> Result<bool, ApiError> {
        let limit = usize::try_from(EVENTS_READ_MAX).unwrap_or_default();
        let page = self
            .state
            .events
            .read(self.user, self.cursor, &self.filter, limit)
            .await?;
        self.cursor = page.cursor;
        self.ready.extend(page.events);
        Ok(page.has_more)
    }

    /// The next event; none when the stream has lived long enough.
    async fn next(&mut self) -> Option<Event> {
        if self.has_ended {
            return None;
        }
        let checkpoint = Instant::now() + CHECKPOINT;
        loop {
            if let Some(event) = self.ready.pop_front() {
                let view = StreamedEvent::of_log(&event, self.cursor.epoch);
                let id = Cursor {
                    position: event.position,
                    ..self.cursor
                };
                let event = Event::default().event(&event.event_type).id(id.to_string());
                return event.json_data(view).ok();
            }
            match self.wait(checkpoint).await {
                Ok(true) => {}
                Ok(false) if self.has_ended => return None,
                Ok(false) => {
                    let event = Event::default().event("checkpoint").data("{}");
                    return Some(event.id(self.cursor.to_string()));
                }
                Err(error) => {
                    self.has_ended = true;
                    return last_event(&error);
                }
            }
        }
    }

    /// Reads on, and waits for something to read; false when a checkpoint is due, or the stream has ended.
    async fn wait(&mut self, checkpoint: Instant) -> Result<bool, ApiError> {
        if self.read().await? || !self.ready.is_empty() {
            return Ok(true);
        }
        tokio::select! {
            biased;
            () = self.credential.due() => self.credential.check_if_due().await?,
            () = self.state.stopping.cancelled() => self.has_ended = true,
            () = tokio::time::sleep_until(self.deadline) => self.has_ended = true,
            () = tokio::time::sleep_until(checkpoint) => return Ok(false),
            () = self.listener.changed() => {}
        }
        Ok(!self.has_ended)
    }
}
