//! `/admin/queues`: depth, age, pause and resume.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::jobs::{self, QueueSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{ApiError, Code};
use crate::extract::{Json, Path};
use crate::routes::success;
use crate::state::ApiState;

/// Why a queue is paused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    reason: Option<String>,
}

/// All queues: what PostgreSQL knows, and what waits in Redis.
pub async fn list_queues(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let mut queues = Vec::new();
    for queue in jobs::queue_states(state.pool()).await? {
        let redis = match state.outbox.queue().depth(&queue.queue).await {
            Ok(depth) => json!({
                "waiting": depth.waiting,
                "inflight": depth.inflight,
                "workers": depth.workers,
            }),
            Err(_) => Value::Null,
        };
        let mut shown = serde_json::to_value(&queue).unwrap_or_default();
        shown["redis"] = redis;
        queues.push(shown);
    }
    Ok(success(StatusCode::OK, json!({ "queues": queues })))
}

/// Stops a queue within a second; running jobs end.
pub async fn pause_queue(
    State(state): State<ApiState>,
    Path(queue): Path<String>,
    pause: Option<Json<Pause>>,
) -> Result<Response, ApiError> {
    let queue = known(&queue)?;
    let reason = pause
        .and_then(|Json(pause)| pause.reason)
        .unwrap_or_default();
    jobs::pause_queue(state.pool(), queue, &reason).await?;
    tracing::warn!(queue.name = queue, reason, "An operator paused a queue");
    Ok(success(
        StatusCode::OK,
        json!({ "queue": queue, "paused": true }),
    ))
}

/// Lets a queue run again.
pub async fn resume_queue(
    State(state): State<ApiState>,
    Path(queue): Path<String>,
) -> Result<Response, ApiError> {
    let queue = known(&queue)?;
    jobs::resume_queue(state.pool(), queue).await?;
    tracing::warn!(queue.name = queue, "An operator resumed a queue");
    Ok(success(
        StatusCode::OK,
        json!({ "queue": queue, "paused": false }),
    ))
}

fn known(name: &str) -> Result<&'static str, ApiError> {
    QueueSpec::find(name)
        .map(|queue| queue.name)
        .ok_or_else(|| ApiError::new(Code::NotFound, format!("No queue is called {name}.")))
}
