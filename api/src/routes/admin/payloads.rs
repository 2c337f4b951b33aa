//! `/admin/payloads`: bytes found in a queue that are no wake-up call.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::jobs;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::Path;
use crate::routes::success;
use crate::state::ApiState;

/// Newest first, each with its bytes, its reason and where it was found.
pub async fn list_payloads(State(state): State<ApiState>) -> Result<Response, ApiError> {
    Ok(success(
        StatusCode::OK,
        json!({ "payloads": jobs::list_payloads(state.pool()).await? }),
    ))
}

/// Forgets one.
pub async fn drop_payload(
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Response, ApiError> {
    jobs::drop_payload(state.pool(), id).await?;
    Ok(success(
        StatusCode::OK,
        json!({ "id": id, "dropped": true }),
    ))
}
