//! How many requests per second an endpoint gets: a token bucket of its configured rate with a burst of
//! [`BURST_SECONDS`], less what throttling and a fresh recovery take off.
//!
//! Halved by each throttling, it grows back by a tenth of the configured rate each 10 s; after an open
//! breaker it starts at one per second and doubles each 10 s. Pure: time is an argument.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Seconds of the rate that may be sent at once.
pub(super) const BURST_SECONDS: f64 = 2.0;
/// It grows, and doubles after an open breaker, once in this time.
const GROWTH_SECONDS: i64 = 10;
/// What grows back in that time.
const GROWTH_SHARE: f64 = 0.1;
const SHARE_MIN: f64 = 0.01;

/// The bucket as it was last left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Rate {
    tokens: f64,
    tokens_at: Option<DateTime<Utc>>,
    /// The share of the configured rate that is used.
    share: f64,
    grown_at: Option<DateTime<Utc>>,
    slow_start_at: Option<DateTime<Utc>>,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            tokens: 0.0,
            tokens_at: None,
            share: 1.0,
            grown_at: None,
            slow_start_at: None,
        }
    }
}

impl Rate {
    /// Takes a token, or says how long to wait for one.
    pub fn take(&mut self, now: DateTime<Utc>, rate_per_second: u32) -> Option<Duration> {
        let rate = self.per_second(now, f64::from(rate_per_second));
        let burst = (rate * BURST_SECONDS).max(1.0);
        self.tokens = match self.tokens_at {
            Some(at) => (self.tokens + seconds_between(at, now) * rate).min(burst),
            None => burst,
        };
        self.tokens_at = Some(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }

    /// The receiver has too much.
    pub fn halve(&mut self, now: DateTime<Utc>) {
        self.share = (self.share / 2.0).max(SHARE_MIN);
        self.grown_at = Some(now);
    }

    /// The receiver is just back.
    pub fn start_slowly(&mut self, now: DateTime<Utc>) {
        self.slow_start_at = Some(now);
        self.tokens = 0.0;
        self.tokens_at = Some(now);
    }

    /// Requests per second by now.
    pub fn per_second(&mut self, now: DateTime<Utc>, configured: f64) -> f64 {
        let grown_at = *self.grown_at.get_or_insert(now);
        let steps = (now - grown_at).num_seconds().max(0) / GROWTH_SECONDS;
        if steps > 0 {
            self.share = (self.share + GROWTH_SHARE * steps as f64).min(1.0);
            self.grown_at = Some(grown_at + TimeDelta::seconds(steps * GROWTH_SECONDS));
        }
        let rate = (configured * self.share).max(1.0);
        let Some(started_at) = self.slow_start_at else {
            return rate;
        };
        let doublings = (now - started_at).num_seconds().max(0) / GROWTH_SECONDS;
        let slow = 2_f64.powi(i32::try_from(doublings.min(30)).unwrap_or(30));
        if slow >= rate {
            self.slow_start_at = None;
        }
        slow.min(rate)
    }
}

fn seconds_between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> f64 {
    (later - earlier)
        .num_microseconds()
        .map_or(0.0, |micros| micros.max(0) as f64 / 1e6)
}
