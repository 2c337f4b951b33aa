//! `GET /api/ai/package-status/{uploadId}`: by polling with an entity tag, or by waiting.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use common::uploads::{self, UploadView};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

use super::view;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path, PreferWait};
use crate::routes::success;
use crate::state::ApiState;

/// A waiting request looks by itself this often, in case an announcement was lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Answers the status. With `Prefer: wait=N` it answers when the upload has ended, or, if an entity
/// tag was sent, when it differs; in any case after N seconds.
pub async fn get_package_status(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    PreferWait(wait): PreferWait,
    headers: HeaderMap,
    Path(upload_id): Path<String>,
) -> Result<Response, ApiError> {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut changes = wait.map(|_| state.outbox.queue().subscribe(uploads::CHANGED));
    let mut upload = view::find(&state, &upload_id, caller.as_ref()).await?;
    if let (Some(wait), Some(changes)) = (wait, &mut changes) {
        let deadline = Instant::now() + wait;
        while !is_news(&upload, known) && next_look(&state, changes, &upload_id, deadline).await {
            upload = view::find(&state, &upload_id, caller.as_ref()).await?;
        }
    }
    let etag = view::etag(&upload);
    let mut response = if known.is_some_and(|known| matches_tag(known, &etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        success(StatusCode::OK, view::body(&upload))
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        HeaderValue::from_str(&etag).expect("a quoted number"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if let Some(wait) = wait {
        let applied = format!("wait={}", wait.as_secs());
        headers.insert(
            "preference-applied",
            HeaderValue::from_str(&applied).expect("plain text"),
        );
    }
    Ok(response)
}

fn is_news(upload: &UploadView, known: Option<&str>) -> bool {
    match known {
        Some(known) => !matches_tag(known, &view::etag(upload)),
        None => upload.status.is_final(),
    }
}

fn matches_tag(known: &str, etag: &str) -> bool {
    known
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

/// Waits until it is worth looking again; false when the time is over.
pub(super) async fn next_look(
    state: &ApiState,
    changes: &mut Receiver<String>,
    upload_id: &str,
    deadline: Instant,
) -> bool {
    let look = tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_EVERY));
    tokio::pin!(look);
    loop {
        tokio::select! {
            () = &mut look => return Instant::now() < deadline,
            () = state.stopping.cancelled() => return false,
            change = changes.recv() => match change {
                Ok(id) if id != upload_id && !id.is_empty() => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return true,
                Err(RecvError::Closed) => {
                    look.as_mut().await;
                    return Instant::now() < deadline;
                }
            },
        }
    }
}
