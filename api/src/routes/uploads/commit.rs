//! `POST /api/ai/uploads/{uploadId}/commit`: the bytes are there, the upload begins.

use axum::extract::State;
use axum::http::StatusCode;
use common::ids::UploadPublicId;
use common::uploads::{Receipt, UploadError, commands};

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Path};
use crate::state::ApiState;

/// Commits a session; doing so again gets the same answer.
pub async fn commit_upload(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(upload_id): Path<String>,
) -> Result<Answer<Receipt>, ApiError> {
    let id = UploadPublicId::parse(&upload_id).ok_or(UploadError::NotFound)?;
    let receipt =
        commands::commit_session(&state.outbox, &state.storage, principal.user, &id).await?;
    let address = receipt.status_url.clone();
    Ok(Answer::with(StatusCode::ACCEPTED, receipt).followed_at(&address))
}
