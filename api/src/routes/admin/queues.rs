//! `/admin/queues`: depth, age, pause and resume.

use axum::extract::State;
use common::jobs::{self, QueueSpec, QueueState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Json, Path};
use crate::state::ApiState;

/// Why a queue is paused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// The reason, for other operators.
    reason: Option<String>,
}

/// All queues.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueueList {
    queues: Vec<Queue>,
}

/// A queue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Queue {
    #[serde(flatten)]
    state: QueueState,
    /// The queue in Redis; null while Redis is away.
    redis: Option<RedisQueue>,
}

/// A queue as Redis knows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RedisQueue {
    /// Calls that wait for a worker.
    waiting: usize,
    /// Calls that workers hold.
    inflight: usize,
    /// Workers that serve it.
    workers: usize,
}

/// Whether a queue is paused.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PausedQueue {
    /// Its name.
    queue: &'static str,
    /// Whether it is paused now.
    paused: bool,
}

/// All queues: what PostgreSQL knows, and what waits in Redis.
pub async fn list_queues(State(state): State<ApiState>) -> Result<Answer<QueueList>, ApiError> {
    let mut queues = Vec::new();
    for queue in jobs::queue_states(state.pool()).await? {
        let depth = state.outbox.queue().depth(&queue.queue).await.ok();
        queues.push(Queue {
            state: queue,
            redis: depth.map(|depth| RedisQueue {
                waiting: depth.waiting,
                inflight: depth.inflight,
                workers: depth.workers,
            }),
        });
    }
    Ok(Answer::ok(QueueList { queues }))
}

/// Stops a queue within a second; running jobs end.
pub async fn pause_queue(
    State(state): State<ApiState>,
    Path(queue): Path<String>,
    pause: Option<Json<PauseRequest>>,
) -> Result<Answer<PausedQueue>, ApiError> {
    let queue = known(&queue)?;
    let reason = pause
        .and_then(|Json(pause)| pause.reason)
        .unwrap_or_default();
    jobs::pause_queue(state.pool(), queue, &reason).await?;
    tracing::warn!(queue.name = queue, reason, "An operator paused a queue");
    let paused = true;
    Ok(Answer::ok(PausedQueue { queue, paused }))
}

/// Lets a queue run again.
pub async fn resume_queue(
    State(state): State<ApiState>,
    Path(queue): Path<String>,
) -> Result<Answer<PausedQueue>, ApiError> {
    let queue = known(&queue)?;
    jobs::resume_queue(state.pool(), queue).await?;
    tracing::warn!(queue.name = queue, "An operator resumed a queue");
    let paused = false;
    Ok(Answer::ok(PausedQueue { queue, paused }))
}

fn known(name: &str) -> Result<&'static str, ApiError> {
    QueueSpec::find(name)
        .map(|queue| queue.name)
        .ok_or_else(|| ApiError::new(Code::NotFound, format!("No queue is called {name}.")))
}
