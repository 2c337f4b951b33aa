//! `GET /health`: the parts the service stands on.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use common::db;
use serde_json::{Value, json};

use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// A part that takes longer counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// `healthy`; `degraded` while Redis or the store is away, or Redis is full (uploads are kept, work
/// waits); `unhealthy` with 503 while PostgreSQL is away, or its schema is older than this program.
pub async fn health(State(state): State<ApiState>) -> Result<Json<Value>, ApiError> {
    let (database, redis, storage) = tokio::join!(
        probe_database(&state),
        probe_queue(&state),
        probe(state.storage.ping()),
    );
    let parts = [
        ("database", &database),
        ("redis", &redis),
        ("storage", &storage),
    ];
    let degraded: Vec<&str> = parts
        .iter()
        .filter(|(_, part)| part["healthy"] == false)
        .map(|(name, _)| *name)
        .collect();
    let word = match degraded.as_slice() {
        [] => "healthy",
        names if names.contains(&"database") => "unhealthy",
        _ => "degraded",
    };
    let pool = state.pool();
    let body = json!({
        "status": word,
        "database": database,
        "redis": redis,
        "storage": storage,
        "degraded": degraded,
        "pool": { "total": pool.size(), "free": pool.num_idle(), "max": pool.options().get_max_connections() },
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": chrono::Utc::now(),
    });
    if word == "unhealthy" {
        let message = "The database does not answer, or its schema is older than this program.";
        let mut error = ApiError::new(Code::ServiceUnavailable, message);
        error.details = body.as_object().cloned().unwrap_or_default();
        return Err(error);
    }
    Ok(Json(body))
}

/// Whether PostgreSQL answers, with a schema that this program can use.
async fn probe_database(state: &ApiState) -> Value {
    let ping = probe(db::ping(state.pool())).await;
    if ping["healthy"] == false {
        return ping;
    }
    match tokio::time::timeout(PATIENCE, db::is_migrated(state.pool())).await {
        Ok(Ok(true)) => ping,
        Ok(_) => {
            tracing::error!("The schema is older than this program: run `awareness migrate`");
            json!({ "healthy": false, "error": "its schema is older than this program" })
        }
        Err(_) => json!({ "healthy": false, "error": "does not answer in time" }),
    }
}

/// Whether Redis takes in what is written.
async fn probe_queue(state: &ApiState) -> Value {
    let probed = state.outbox.queue().write_probe();
    match tokio::time::timeout(PATIENCE, probed).await {
        Ok(Err(error)) if error.is_out_of_memory() => {
            tracing::error!("Redis is full: it refuses to write");
            json!({ "healthy": false, "error": "refuses to write: its memory is full" })
        }
        Ok(probed) => probe(std::future::ready(probed)).await,
        Err(_) => json!({ "healthy": false, "error": "does not answer in time" }),
    }
}

async fn probe<E: std::fmt::Display>(part: impl Future<Output = Result<Duration, E>>) -> Value {
    match tokio::time::timeout(PATIENCE, part).await {
        Ok(Ok(latency)) => {
            json!({ "healthy": true, "latencyMs": (latency.as_secs_f64() * 1e5).round() / 1e2 })
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "A part of the service is away");
            json!({ "healthy": false, "error": "does not answer" })
        }
        Err(_) => json!({ "healthy": false, "error": "does not answer in time" }),
    }
}
