//! The health of an endpoint: how much it may be sent now, and when its owner should hear of it.
//!
//! Pure: time is an argument, and what it remembers is one small value that the holder of the
//! endpoint's alarm keeps between drains. Four things decide:
//!
//! - a **breaker**: opened by [`TRIES_TO_OPEN`] tries in a minute of which half fail, or by
//!   [`TIMEOUTS_TO_OPEN`] timeouts in a row; open for 30 s, doubling to 15 min; then one probe at a
//!   time, and [`PROBES_TO_CLOSE`] successes close it;
//! - a **rate** (`rate.rs`): halved whenever the receiver says 429 or 503, and slow at first after an
//!   open breaker;
//! - a **window** of requests under way: two for an endpoint that has not answered yet, one more with
//!   each success, halved by a timeout;
//! - a **hold**: the receiver's own `Retry-After`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::rate::Rate;
use super::retry_after::RETRY_AFTER_MAX;

/// Tries within a minute before a breaker may open.
pub const TRIES_TO_OPEN: u32 = 10;
/// Timeouts in a row that open it.
pub const TIMEOUTS_TO_OPEN: u32 = 5;
/// Successes in a row that close it.
pub const PROBES_TO_CLOSE: u32 = 3;
const OPEN_SECONDS_MIN: i64 = 30;
const OPEN_SECONDS_MAX: i64 = 15 * 60;
const HOLD_SECONDS_MAX: i64 = RETRY_AFTER_MAX.as_secs() as i64;
/// The minute that the breaker looks at: six buckets.
const BUCKET_SECONDS: i64 = 10;
const BUCKETS: i64 = 6;
/// What the concurrency starts with before an endpoint has answered well.
const WINDOW_MIN: f64 = 2.0;
/// A mean answer beyond this makes an endpoint slow.
const SLOW_SECONDS: f64 = 5.0;
/// How much of the mean is the newest answer.
const MEAN_WEIGHT: f64 = 0.2;
/// Hours of unbroken failure after which the owner is warned.
pub const WARN_HOURS: [u32; 3] = [1, 24, 72];
/// Hours of unbroken failure after which an endpoint is disabled.
pub const DISABLE_HOURS: i64 = 120;
/// Two 410 at least this far apart disable an endpoint.
const GONE_SECONDS: i64 = 60;

/// What the endpoint's owner allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub rate_per_second: u32,
    pub concurrency: usize,
}

/// Whether the next request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Now; it has been counted.
    Send,
    /// After one of those under way has been answered.
    WaitForAnswer,
    /// After this.
    Wait(Duration),
}

/// An answer, or the lack of one, as the endpoint's health counts it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub took: Duration,
    pub answer: Answer,
}

/// What kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Success,
    Timeout,
    /// 429 or 503, and how long to stay away if it said so.
    Throttled(Option<Duration>),
    /// 410.
    Gone,
    /// The receiver asked for an end in so many words.
    Unwanted,
    Failure,
    /// A fault of ours: says nothing about the endpoint.
    Internal,
}

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisableReason {
    Failing,
    Gone,
    Unwanted,
}

impl DisableReason {
    /// The reason that its owner reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "no delivery has succeeded for 120 hours",
            Self::Gone => "the receiver answered 410 Gone twice",
            Self::Unwanted => "the receiver answered `webhook-delivery: disable`",
        }
    }
}

/// What an answer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The breaker opened.
    Opened,
    /// The breaker closed.
    Closed,
    /// It has failed for so long without a break; said once per step.
    Failing { since: DateTime<Utc>, hours: u32 },
    /// It works again after a warning.
    Recovered { since: DateTime<Utc> },
    /// It should not be sent to any more.
    Disable(DisableReason),
}

/// What is remembered of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    breaker: Breaker,
    /// Successes and failures by bucket of time, the newest last.
    buckets: Vec<(i64, u32, u32)>,
    timeouts_in_row: u32,
    rate: Rate,
    window: f64,
    held_until: Option<DateTime<Utc>>,
    mean_seconds: f64,
    failing_since: Option<DateTime<Utc>>,
    warned_hours: u32,
    gone_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
enum Breaker {
    #[default]
    Closed,
    Open {
        until: DateTime<Utc>,
        seconds: i64,
    },
    HalfOpen {
        successes: u32,
        seconds: i64,
    },
}

impl Default for Health {
    fn default() -> Self {
        Self {
            breaker: Breaker::Closed,
            buckets: Vec::new(),
            timeouts_in_row: 0,
            rate: Rate::default(),
            window: WINDOW_MIN,
            held_until: None,
            mean_seconds: 0.0,
            failing_since: None,
            warned_hours: 0,
            gone_at: None,
        }
    }
}

impl Health {
    /// Since when nothing has succeeded, if the last answer was a failure.
    pub fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.failing_since
    }

    /// The name of the breaker's state, for people and metrics.
    pub fn breaker(&self) -> &'static str {
        match self.breaker {
            Breaker::Closed => "closed",
            Breaker::Open { .. } => "open",
            Breaker::HalfOpen { .. } => "half_open",
        }
    }

    /// Whether it belongs among the slow ones: it answers late, or is being probed.
    pub fn is_slow(&self) -> bool {
        self.mean_seconds > SLOW_SECONDS
            || self.timeouts_in_row > 0
            || !matches!(self.breaker, Breaker::Closed)
    }

    /// Until when it must be left alone, if it must.
    pub fn rest_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let open_until = match self.breaker {
            Breaker::Open { until, .. } => Some(until),
            Breaker::Closed | Breaker::HalfOpen { .. } => None,
        };
        // A rest beyond its own maximum was begun by a clock that has been set back since.
        let within = |until: &DateTime<Utc>, seconds: i64| {
            *until > now && *until <= now + TimeDelta::seconds(seconds)
        };
        let open_until = open_until.filter(|until| within(until, OPEN_SECONDS_MAX));
        let held_until = self
            .held_until
            .filter(|until| within(until, HOLD_SECONDS_MAX));
        open_until.max(held_until)
    }

    /// Asks for one more request beside those under way; [`Permission::Send`] counts it.
    pub fn may_send(
        &mut self,
        now: DateTime<Utc>,
        in_flight: usize,
        limits: &Limits,
    ) -> Permission {
        if let Some(until) = self.rest_until(now) {
            return Permission::Wait((until - now).to_std().unwrap_or_default());
        }
        if let Breaker::Open { seconds, .. } = self.breaker {
            self.breaker = Breaker::HalfOpen {
                successes: 0,
                seconds,
            };
        }
        let window = match self.breaker {
            Breaker::HalfOpen { .. } => 1,
            Breaker::Closed | Breaker::Open { .. } => (self.window as usize).max(1),
        };
        if in_flight >= window.min(limits.concurrency) {
            return Permission::WaitForAnswer;
        }
        match self.rate.take(now, limits.rate_per_second) {
            None => Permission::Send,
            Some(pause) => Permission::Wait(pause),
        }
    }

    /// Counts an answer.
    pub fn observe(&mut self, now: DateTime<Utc>, seen: Seen) -> Vec<Change> {
        let mut changes = Vec::new();
        match seen.answer {
            Answer::Internal => return changes,
            Answer::Success => self.count_success(now, seen.took, &mut changes),
            _ => self.count_failure(now, seen, &mut changes),
        }
        changes
    }

    fn count_success(&mut self, now: DateTime<Utc>, took: Duration, changes: &mut Vec<Change>) {
        self.bucket(now).1 += 1;
        self.timeouts_in_row = 0;
        self.gone_at = None;
        self.window = (self.window + 1.0).min(64.0);
        self.note_time(took);
        if let Some(since) = self.failing_since.take()
            && std::mem::take(&mut self.warned_hours) > 0
        {
            changes.push(Change::Recovered { since });
        }
        let Breaker::HalfOpen { successes, seconds } = self.breaker else {
            return;
        };
        if successes + 1 < PROBES_TO_CLOSE {
            self.breaker = Breaker::HalfOpen {
                successes: successes + 1,
                seconds,
            };
            return;
        }
        self.breaker = Breaker::Closed;
        self.buckets.clear();
        self.rate.start_slowly(now);
        self.window = WINDOW_MIN;
        changes.push(Change::Closed);
    }

    fn count_failure(&mut self, now: DateTime<Utc>, seen: Seen, changes: &mut Vec<Change>) {
        self.bucket(now).2 += 1;
        match seen.answer {
            Answer::Timeout => {
                self.timeouts_in_row += 1;
                self.window = (self.window / 2.0).max(1.0);
                self.note_time(seen.took);
            }
            Answer::Throttled(hold) => {
                self.timeouts_in_row = 0;
                self.rate.halve(now);
                let until =
                    hold.and_then(|hold| now.checked_add_signed(TimeDelta::from_std(hold).ok()?));
                self.held_until = self.held_until.max(until);
            }
            _ => self.timeouts_in_row = 0,
        }
        if seen.answer == Answer::Unwanted {
            changes.push(Change::Disable(DisableReason::Unwanted));
        }
        if seen.answer == Answer::Gone {
            match self.gone_at {
                Some(first) if (now - first).num_seconds() >= GONE_SECONDS => {
                    changes.push(Change::Disable(DisableReason::Gone));
                }
                Some(_) => {}
                None => self.gone_at = Some(now),
            }
        }
        self.warn(now, changes);
        self.trip(now, changes);
    }

    /// Warns of a failure that lasts, and gives up after [`DISABLE_HOURS`].
    fn warn(&mut self, now: DateTime<Utc>, changes: &mut Vec<Change>) {
        let since = *self.failing_since.get_or_insert(now);
        let hours = (now - since).num_hours();
        let due = WARN_HOURS
            .into_iter()
            .rev()
            .find(|step| i64::from(*step) <= hours);
        if let Some(step) = due.filter(|step| *step > self.warned_hours) {
            self.warned_hours = step;
            changes.push(Change::Failing { since, hours: step });
        }
        if hours >= DISABLE_HOURS {
            changes.push(Change::Disable(DisableReason::Failing));
        }
    }

    /// Opens the breaker if it is time.
    fn trip(&mut self, now: DateTime<Utc>, changes: &mut Vec<Change>) {
        let seconds = match self.breaker {
            Breaker::Open { .. } => return,
            Breaker::HalfOpen { seconds, .. } => (seconds * 2).min(OPEN_SECONDS_MAX),
            Breaker::Closed => {
                let (good, bad) = self.buckets.iter().fold((0, 0), |(good, bad), bucket| {
                    (good + bucket.1, bad + bucket.2)
                });
                let fails = good + bad >= TRIES_TO_OPEN && bad * 2 >= good + bad;
                if !fails && self.timeouts_in_row < TIMEOUTS_TO_OPEN {
                    return;
                }
                OPEN_SECONDS_MIN
            }
        };
        self.breaker = Breaker::Open {
            until: now + TimeDelta::seconds(seconds),
            seconds,
        };
        self.window = 1.0;
        changes.push(Change::Opened);
    }

    fn bucket(&mut self, now: DateTime<Utc>) -> &mut (i64, u32, u32) {
        let number = now.timestamp().div_euclid(BUCKET_SECONDS);
        self.buckets
            .retain(|bucket| bucket.0 > number - BUCKETS && bucket.0 <= number);
        if self.buckets.last().is_none_or(|newest| newest.0 != number) {
            self.buckets.push((number, 0, 0));
        }
        self.buckets.last_mut().expect("one was just pushed")
    }

    fn note_time(&mut self, took: Duration) {
        self.mean_seconds += MEAN_WEIGHT * (took.as_secs_f64() - self.mean_seconds);
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
