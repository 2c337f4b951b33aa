//! `GET /api/ai/package-status/{uploadId}/events`: server-sent events until the upload has ended.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use common::identity::Principal;
use common::limits::EVENT_STREAM_SECONDS_MAX;
use common::uploads;
use tokio::sync::broadcast::Receiver;
use tokio::time::Instant;

use super::status::next_look;
use super::view;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path};
use crate::state::ApiState;

/// Quiet lines that keep proxies from closing the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Sends the status whenever it changes. Each event's id is the version of the status: a client that
/// comes back with `Last-Event-ID` is told only what is newer.
pub async fn stream_package_status(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    headers: HeaderMap,
    Path(upload_id): Path<String>,
) -> Result<Response, ApiError> {
    let changes = state.outbox.queue().subscribe(uploads::CHANGED);
    view::find(&state, &upload_id, caller.as_ref()).await?;
    let seen = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let deadline = Instant::now() + Duration::from_secs(EVENT_STREAM_SECONDS_MAX);
    let watch = Watch {
        state,
        caller,
        upload_id,
        changes,
        seen,
        deadline,
        has_ended: false,
    };
    let events = futures::stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    response
        .headers_mut()
        .insert("x-accel-buffering", "no".parse().expect("plain text"));
    Ok(response)
}

struct Watch {
    state: ApiState,
    caller: Option<Principal>,
    upload_id: String,
    changes: Receiver<String>,
    seen: Option<i64>,
    deadline: Instant,
    has_ended: bool,
}

impl Watch {
    /// The next change; none after the last one, or when the stream has lived long enough.
    async fn next(&mut self) -> Option<Event> {
        if self.has_ended {
            return None;
        }
        loop {
            // A fault ends the stream; the client comes back with its last event id.
            let upload = view::find(&self.state, &self.upload_id, self.caller.as_ref())
                .await
                .ok()?;
            self.has_ended = upload.status.is_final();
            if self.seen.is_none_or(|seen| upload.version > seen) {
                self.seen = Some(upload.version);
                let event = Event::default()
                    .event("status")
                    .id(upload.version.to_string());
                return event.json_data(view::body(&upload)).ok();
            }
            if self.has_ended
                || !next_look(
                    &self.state,
                    &mut self.changes,
                    &self.upload_id,
                    self.deadline,
                )
                .await
            {
                return None;
            }
        }
    }
}
