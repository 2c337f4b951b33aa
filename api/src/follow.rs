//! Following a status until it ends: by polling with an entity tag, by `Prefer: wait`, by
//! server-sent events.
//!
//! Announcements only say that it is worth looking; who waits also looks by itself each second, so a
//! lost one delays an answer and changes none. A key or session that is revoked meanwhile ends the wait
//! with 401, and the stream with an event `error`.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use common::identity::Principal;
use common::limits::EVENT_STREAM_SECONDS_MAX;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

use crate::contract::{Answer, Cacheable};
use crate::credential_watch::{CredentialWatch, last_event};
use crate::entity_tag::{KnownTags, Tagged};
use crate::error::ApiError;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// A waiting request looks by itself this often, in case an announcement was lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Quiet lines that keep proxies from closing a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A status that changes until it ends.
pub trait Status: Send + 'static {
    type Body: Serialize + JsonSchema;

    /// Counts its changes.
    fn version(&self) -> i64;
    /// Whether it changes no more for one who waits.
    fn is_final(&self) -> bool;
    /// As clients see it.
    fn body(&self) -> Self::Body;

    /// Whether one of these entity tags is its own in that version of the API.
    fn is_known(&self, version: ApiVersion, known: &KnownTags) -> bool {
        let body = version.answer(value(self.body()));
        let body = serde_json::to_vec(&body).expect("answers have text keys");
        known.has(&Tagged::at(self.version()).tag(version, &body))
    }
}

/// Waits for a thing to change, and finds it again.
pub struct Follower<Find> {
    state: ApiState,
    id: String,
    changes: Receiver<String>,
    credential: CredentialWatch,
    find: Find,
}

impl<S, Find, Found> Follower<Find>
where
    S: Status,
    Find: Fn() -> Found + Send + 'static,
    Found: Future<Output = Result<S, ApiError>> + Send,
{
    /// Begins to listen for changes of the thing with that public id, so that none is missed after
    /// the first look, for as long as the caller, if there is one, may.
    pub fn new(
        state: &ApiState,
        caller: Option<&Principal>,
        topic: &'static str,
        id: impl Into<String>,
        find: Find,
    ) -> Self {
        Self {
            state: state.clone(),
            id: id.into(),
            changes: state.outbox.queue().subscribe(topic),
            credential: CredentialWatch::new(state, caller),
            find,
        }
    }

    /// The status now, or as soon as it is news, or when the time is over.
    pub async fn wait(
        &mut self,
        wait: Duration,
        is_news: impl Fn(&S) -> bool,
    ) -> Result<S, ApiError> {
        let deadline = Instant::now() + wait;
        loop {
            let status = (self.find)().await?;
            if is_news(&status) || !self.next_look(deadline).await? {
                return Ok(status);
            }
        }
    }

    /// Answers the status. With a wait it answers when the status has ended, or, if an entity tag was
    /// sent, when it differs; in any case after that time.
    pub async fn answer(
        mut self,
        version: ApiVersion,
        wait: Option<Duration>,
        headers: &HeaderMap,
    ) -> Result<Cacheable<S::Body>, ApiError> {
        let known = KnownTags::read(headers);
        let is_news = |status: &S| {
            if known.is_empty() {
                status.is_final()
            } else {
                !status.is_known(version, &known)
            }
        };
        let status = self.wait(wait.unwrap_or_default(), is_news).await?;
        let no_cache = HeaderValue::from_static("private, no-cache");
        let answer = Answer::ok(status.body())
            .tagged(Tagged::at(status.version()))
            .header(header::CACHE_CONTROL, no_cache);
        Ok(Cacheable(match wait {
            Some(wait) => answer.header(PREFERENCE_APPLIED, applied(wait)),
            None => answer,
        }))
    }

    /// Sends the status whenever it changes, until it has ended. Each event's id is the version of the
    /// status: a client that comes back with `Last-Event-ID` gets only what is newer, and 204 if nothing
    /// will be.
    pub async fn stream(
        self,
        headers: &HeaderMap,
        version: ApiVersion,
    ) -> Result<Response, ApiError> {
        let status = (self.find)().await?;
        let seen = headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
        if status.is_final() && seen.is_some_and(|seen| seen >= status.version()) {
            // The one answer after which browsers do not connect again.
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let stream = Stream {
            follower: self,
            version,
            seen,
            last: None,
            deadline: Instant::now() + Duration::from_secs(EVENT_STREAM_SECONDS_MAX),
            has_ended: false,
        };
        let events = futures::stream::unfold(stream, |mut stream| async move {
            let event = stream.next().await?;
            Some((Ok::<_, Infallible>(event), stream))
        });
        let mut response = Sse::new(events)
            .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
            .into_response();
        response
            .headers_mut()
            .insert("x-accel-buffering", HeaderValue::from_static("no"));
        Ok(response)
    }

    /// Waits until it is worth looking again; false when the time is over, an error when the caller may
    /// no longer.
    async fn next_look(&mut self, deadline: Instant) -> Result<bool, ApiError> {
        let look = tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_EVERY));
        tokio::pin!(look);
        loop {
            self.credential.check_if_due().await?;
            tokio::select! {
                // What was revoked is told nothing that changed afterwards.
                biased;
                () = self.credential.due() => {}
                () = self.state.stopping.cancelled() => return Ok(false),
                () = &mut look => return Ok(Instant::now() < deadline),
                change = self.changes.recv() => match change {
                    Ok(id) if id != self.id && !id.is_empty() => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return Ok(true),
                    Err(RecvError::Closed) => {
                        look.as_mut().await;
                        return Ok(Instant::now() < deadline);
                    }
                },
            }
        }
    }
}

fn value(body: impl Serialize) -> Value {
    serde_json::to_value(body).expect("answers have text keys")
}

/// The header that says for how long a request waited.
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `Preference-Applied` for a wait.
pub fn applied(wait: Duration) -> HeaderValue {
    HeaderValue::from_str(&format!("wait={}", wait.as_secs())).expect("plain text")
}

struct Stream<Find> {
    follower: Follower<Find>,
    version: ApiVersion,
    seen: Option<i64>,
    /// What was sent last.
    last: Option<Value>,
    deadline: Instant,
    has_ended: bool,
}

impl<S, Find, Found> Stream<Find>
where
    S: Status,
    Find: Fn() -> Found + Send + 'static,
    Found: Future<Output = Result<S, ApiError>> + Send,
{
    /// The next change; none after the last one, or when the stream has lived long enough.
    async fn next(&mut self) -> Option<Event> {
        if self.has_ended {
            return None;
        }
        loop {
            // A fault ends the stream; the client comes back with its last event id.
            let status = (self.follower.find)().await.ok()?;
            self.has_ended = status.is_final();
            let body = value(status.body());
            let is_newer = self.seen.is_none_or(|seen| status.version() > seen);
            if is_newer || self.last.as_ref().is_some_and(|last| *last != body) {
                self.seen = Some(status.version());
                self.last = Some(body.clone());
                let event = Event::default()
                    .event("status")
                    .id(status.version().to_string());
                let mut body = body;
                self.version.shape(&mut body);
                return event.json_data(body).ok();
            }
            if self.has_ended {
                return None;
            }
            match self.follower.next_look(self.deadline).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.has_ended = true;
                    return last_event(&error);
                }
            }
        }
    }
}
