//! `/admin/payloads`: bytes found in a queue that are no wake-up call.

use axum::extract::State;
use common::jobs::{self, QueuedPayload};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;

/// Bytes that were found in queues and are no calls.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PayloadList {
    payloads: Vec<QueuedPayload>,
}

/// A payload that was dropped.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DroppedPayload {
    /// Its number.
    id: i64,
    /// Always true.
    dropped: bool,
}

/// Newest first, each with its bytes, its reason and where it was found.
pub async fn list_payloads(State(state): State<ApiState>) -> Result<Answer<PayloadList>, ApiError> {
    let payloads = jobs::list_payloads(state.pool()).await?;
    Ok(Answer::ok(PayloadList { payloads }))
}

/// Forgets one.
pub async fn drop_payload(
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Answer<DroppedPayload>, ApiError> {
    jobs::drop_payload(state.pool(), id).await?;
    Ok(Answer::ok(DroppedPayload { id, dropped: true }))
}
