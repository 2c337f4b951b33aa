//! Counts requests in sliding windows, for all API processes together.
//!
//! A window is the list of the moments in which its units were taken, so "100 in a minute" holds for
//! *every* minute, not only for those that begin on the clock. A script looks at all windows of a
//! request and takes from all or from none; Redis's clock is the only one. While Redis is away each
//! process counts for itself, so a client may then get the quota once per process; what was counted
//! here is not carried over.

mod counter;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use self::counter::Counter;
use self::window::Windows;
use crate::config::RatePolicy;
use crate::hurried_redis::AddressError;
use crate::telemetry::metrics;

/// After a failure Redis is not asked again for so long.
const PAUSE_MILLIS: i64 = 1000;

/// Counts; clones share what they count.
#[derive(Clone)]
pub struct Throttle {
    counter: Counter,
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
    /// 0 only looks; fewer give back what was taken a moment ago.
    pub units: i64,
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
    /// Begins to count, without waiting for a connection.
    pub fn new(redis_url: &str, prefix: &str) -> Result<Self, AddressError> {
        Ok(Self {
            counter: Counter::start(redis_url, prefix)?,
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
            if let Some(standings) = self.counter.take(asks).await {
                return standings;
            }
            self.away_until.store(now + PAUSE_MILLIS, Ordering::Relaxed);
        }
        metrics().rate_limit_fallbacks.inc();
        self.local.take(asks)
    }

    /// Gives back units that were taken: the newest, which lets no more through than the quota.
    pub async fn give_back(&self, asks: &[Ask<'_>]) -> Vec<Standing> {
        let mut returned = asks.to_vec();
        for ask in &mut returned {
            ask.units = -ask.units;
        }
        self.take(&returned).await
    }
}
