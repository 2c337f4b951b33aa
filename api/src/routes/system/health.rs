//! `GET /health`: the parts the service stands on.

use std::time::Duration;

use axum::extract::State;
use chrono::{DateTime, Utc};
use common::db;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::contract::Bare;
use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// A part that takes longer counts as away.
const PATIENCE: Duration = Duration::from_secs(2);
const LATE: &str = "does not answer in time";

/// How the service is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    status: HealthStatus,
    /// PostgreSQL.
    database: PartHealth,
    redis: PartHealth,
    /// The object store.
    storage: PartHealth,
    /// The parts that are not healthy.
    degraded: Vec<&'static str>,
    /// The connections to PostgreSQL.
    pool: PoolHealth,
    /// The version of this program.
    version: &'static str,
    /// When it was looked at.
    timestamp: DateTime<Utc>,
}

/// How the service is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum HealthStatus {
    Healthy,
    /// Redis or the store is away, or Redis is full: uploads are kept, work waits.
    Degraded,
    /// PostgreSQL is away, or its schema is older than this program.
    Unhealthy,
}

/// How a part of the service is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PartHealth {
    /// Whether it answers as it should.
    healthy: bool,
    /// How long its answer took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// The connections of this process to PostgreSQL.
#[derive(Debug, Serialize, JsonSchema)]
struct PoolHealth {
    /// How many are open.
    total: u32,
    /// How many of them are free.
    free: usize,
    /// The most that it opens.
    max: u32,
}

impl PartHealth {
    fn healthy(latency: Duration) -> Self {
        Self {
            healthy: true,
            latency_ms: Some((latency.as_secs_f64() * 1e5).round() / 1e2),
            error: None,
        }
    }

    fn unhealthy(error: &'static str) -> Self {
        Self {
            healthy: false,
            latency_ms: None,
            error: Some(error),
        }
    }
}

/// `healthy`; `degraded` while Redis or the store is away, or Redis is full (uploads are kept, work
/// waits); `unhealthy` with 503 while PostgreSQL is away, or its schema is older than this program.
pub async fn health(State(state): State<ApiState>) -> Result<Bare<Health>, ApiError> {
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
        .filter(|(_, part)| !part.healthy)
        .map(|(name, _)| *name)
        .collect();
    let status = match degraded.as_slice() {
        [] => HealthStatus::Healthy,
        names if names.contains(&"database") => HealthStatus::Unhealthy,
        _ => HealthStatus::Degraded,
    };
    let pool = state.pool();
    let health = Health {
        status,
        database,
        redis,
        storage,
        degraded,
        pool: PoolHealth {
            total: pool.size(),
            free: pool.num_idle(),
            max: pool.options().get_max_connections(),
        },
        version: env!("CARGO_PKG_VERSION"),
        timestamp: Utc::now(),
    };
    if status == HealthStatus::Unhealthy {
        let message = "The database does not answer, or its schema is older than this program.";
        let mut error = ApiError::new(Code::ServiceUnavailable, message);
        error.details = json!(health).as_object().cloned().unwrap_or_default();
        return Err(error);
    }
    Ok(Bare(health))
}

/// Whether PostgreSQL answers, with a schema that this program can use.
async fn probe_database(state: &ApiState) -> PartHealth {
    let ping = probe(db::ping(state.pool())).await;
    if !ping.healthy {
        return ping;
    }
    match tokio::time::timeout(PATIENCE, db::is_migrated(state.pool())).await {
        Ok(Ok(true)) => ping,
        Ok(_) => {
            tracing::error!("The schema is older than this program: run `awareness migrate`");
            PartHealth::unhealthy("its schema is older than this program")
        }
        Err(_) => PartHealth::unhealthy(LATE),
    }
}

/// Whether Redis takes in what is written.
async fn probe_queue(state: &ApiState) -> PartHealth {
    let probed = state.outbox.queue().write_probe();
    match tokio::time::timeout(PATIENCE, probed).await {
        Ok(Err(error)) if error.is_out_of_memory() => {
            tracing::error!("Redis is full: it refuses to write");
            PartHealth::unhealthy("refuses to write: its memory is full")
        }
        Ok(probed) => probe(std::future::ready(probed)).await,
        Err(_) => PartHealth::unhealthy(LATE),
    }
}

async fn probe<E: std::fmt::Display>(
    part: impl Future<Output = Result<Duration, E>>,
) -> PartHealth {
    match tokio::time::timeout(PATIENCE, part).await {
        Ok(Ok(latency)) => PartHealth::healthy(latency),
        Ok(Err(error)) => {
            tracing::warn!(%error, "A part of the service is away");
            PartHealth::unhealthy("does not answer")
        }
        Err(_) => PartHealth::unhealthy(LATE),
    }
}
