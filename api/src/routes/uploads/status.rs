//! `GET /api/ai/package-status/{uploadId}` and `…/events`.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use common::uploads;

use super::view::{self, UploadProgress};
use crate::contract::Ready;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path, PreferWait};
use crate::follow::Follower;
use crate::routes::Rendered;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// Answers the status; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_package_status(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(upload_id): Path<String>,
) -> Result<Ready<UploadProgress>, ApiError> {
    let completed = &state.completed_uploads;
    if wait.is_none()
        && let Some(status) = completed.status(&upload_id, caller.as_ref()).await
    {
        let response = Rendered::respond(status, "private, no-cache");
        return Ok(Ready::new(response));
    }
    let find = view::finder(&state, &upload_id, caller.clone());
    Follower::new(&state, caller.as_ref(), uploads::CHANGED, upload_id, find)
        .answer(version, wait, &headers)
        .await
        .map(Ready::new)
}

/// Sends the status whenever it changes, as server-sent events, until the upload has ended.
pub async fn stream_package_status(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(upload_id): Path<String>,
) -> Result<Response, ApiError> {
    let find = view::finder(&state, &upload_id, caller.clone());
    Follower::new(&state, caller.as_ref(), uploads::CHANGED, upload_id, find)
        .stream(&headers, version)
        .await
}
