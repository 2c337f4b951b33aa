//! Counts requests in sliding windows, for all API processes together.
//!
//! A window is the list of the moments in which its units were taken, so "100 in a minute" holds for
//! *every* minute, not only for those that begin on the clock. One script looks at all windows of a
//! request and takes from all or from none; Redis's clock is the only one. While Redis is away each
//! process counts for itself, so a client may then get the quota once per process; what was counted
//! here is not carried over.

mod window;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use thiserror::Error;

use self::window::Windows;
use crate::config::RatePolicy;
use crate::telemetry::metrics;

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));

/// Redis has this long to answer; a request waits for nothing longer.
const PATIENCE: Duration = Duration::from_millis(250);
/// After a failure Redis is not asked again for so long.
const PAUSE_MILLIS: i64 = 1000;

/// An address that cannot be parsed.
#[derive(Debug, Error)]
#[error("the address of Redis")]
pub struct AddressError(#[source] pub(crate) RedisError);

/// Counts; clones share what they count.
#[derive(Clone)]
pub struct Throttle {
    connection: ConnectionManager,
    prefix: Arc<str>,
    local: Arc<Windows>,
    /// Unix milliseconds until which Redis is not asked.
    away_until: Arc<AtomicI64>,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttle")
    }
}

/// What a request asks of one window.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    pub policy: &'a RatePolicy,
    /// Whose window it is.
    pub subject: String,
    /// 0 only looks.
    pub units: u64,
}

/// How a window stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Units in use, those of this request included if it passed.
    pub used: u64,
    /// Until the same request would pass; none if this window let it through.
    pub wait: Option<Duration>,
    /// Until the oldest unit is free again; zero if none is in use.
    pub frees_in: Duration,
}

impl Throttle {
    /// Prepares a connection of its own without waiting for it.
    pub fn new(redis_url: &str, prefix: &str) -> Result<Self, AddressError> {
        let client = Client::open(redis_url).map_err(AddressError)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(PATIENCE))
            .set_connection_timeout(Some(PATIENCE))
            .set_max_delay(Duration::from_millis(500))
            .set_number_of_retries(1);
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(AddressError)?;
        Ok(Self {
            connection,
            prefix: format!("{prefix}:rate").into(),
            local: Arc::default(),
            away_until: Arc::default(),
        })
    }

    /// Takes from all of these windows, or from none if one of them has too little left.
    pub async fn take(&self, asks: &[Ask<'_>]) -> Vec<Standing> {
        if asks.is_empty() {
            return Vec::new();
        }
        let now = chrono::Utc::now().timestamp_millis();
        if now >= self.away_until.load(Ordering::Relaxed) {
            match tokio::time::timeout(PATIENCE, self.take_from_redis(asks)).await {
                Ok(Ok(standings)) => return standings,
                failed => {
                    self.away_until.store(now + PAUSE_MILLIS, Ordering::Relaxed);
                    let error = failed.map(|answer| answer.err());
                    tracing::warn!(?error, "Rate limits are counted by this process alone");
                }
            }
        }
        metrics().rate_limit_fallbacks.inc();
        self.local.take(asks)
    }

    async fn take_from_redis(&self, asks: &[Ask<'_>]) -> Result<Vec<Standing>, RedisError> {
        let mut invocation = TAKE.prepare_invoke();
        for ask in asks {
            let policy = ask.policy;
            invocation
                .key(format!("{}:{}:{}", self.prefix, policy.name, ask.subject))
                .arg(policy.quota)
                .arg(policy.window_seconds * 1_000_000)
                .arg(ask.units);
        }
        let figures: Vec<i64> = invocation
            .invoke_async(&mut self.connection.clone())
            .await?;
        let micros = |figure: i64| Duration::from_micros(figure.unsigned_abs());
        let standings = figures.as_chunks::<3>().0.iter();
        Ok(standings
            .map(|[used, wait, frees_in]| Standing {
                used: used.unsigned_abs(),
                wait: (*wait > 0).then(|| micros(*wait)),
                frees_in: micros(*frees_in),
            })
            .collect())
    }
}
