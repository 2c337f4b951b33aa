//! `POST /api/ai/uploads/{uploadId}/commit`: the bytes are there, the upload begins.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::ids::UploadPublicId;
use common::uploads::{UploadError, commands};

use crate::error::ApiError;
use crate::extract::{Caller, Path};
use crate::routes::success;
use crate::state::ApiState;

/// Commits a session; doing so again gets the same answer.
pub async fn commit_upload(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(upload_id): Path<String>,
) -> Result<Response, ApiError> {
    let id = UploadPublicId::parse(&upload_id).ok_or(UploadError::NotFound)?;
    let receipt =
        commands::commit_session(&state.outbox, &state.storage, principal.user, &id).await?;
    let location = HeaderValue::from_str(&receipt.status_url);
    let mut response = success(StatusCode::ACCEPTED, receipt);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    Ok(response)
}
