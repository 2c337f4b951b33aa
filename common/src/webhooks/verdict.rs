//! The verdict on an attempt: what becomes of its delivery.
//!
//! Pure. A delivery is one chain: each attempt ends it, or names the one next attempt. What costs a
//! *try* of the plan is the receiver's failure; a *hold* costs none: a fault of ours, a receiver that
//! asks for time (429, 503 with `Retry-After`, at most [`HOLDS_MAX`] times), a manual send.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::client::{Attempt, Outcome};
use super::directive::Directive;
use super::failure::ErrorClass;
use super::health::{Answer, Seen};
use super::plan::Plan;
use super::retry_after::RETRY_AFTER_MAX;
use super::state::{DeliveryState, Trigger};

/// Holds that cost no try.
pub const HOLDS_MAX: i32 = 20;
/// The first pause after a fault of ours; it doubles.
const INTERNAL_SECONDS_MIN: u64 = 5;
const INTERNAL_SECONDS_MAX: u64 = 300;

/// A delivery before the attempt.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    pub tries: i32,
    pub holds: i32,
    pub trigger: Trigger,
    /// What it was before an owner sent it again.
    pub ended_as: Option<DeliveryState>,
    pub accepted_at: DateTime<Utc>,
    /// Ends the chain earlier than its plan does.
    pub hours_max: Option<u64>,
}

/// What the endpoint's owner chose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// 4xx other than 408, 425 and 429 end a delivery at once.
    pub stop_on_client_error: bool,
}

/// How a chain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Delivered,
    /// The plan is over.
    Exhausted,
    /// By the receiver's word, or the endpoint's rules.
    Stopped,
    /// A send by hand failed: it is again what it was.
    ReturnedTo(DeliveryState),
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub state: DeliveryState,
    pub tries: i32,
    pub holds: i32,
    /// Until the next attempt of a pending delivery.
    pub next_in: Option<Duration>,
    /// What causes that attempt,
    pub trigger: Trigger,
    /// and what the delivery goes back to if it fails.
    pub ended_as: Option<DeliveryState>,
    pub ended: Option<End>,
}

/// An answer as the endpoint's health counts it.
pub fn seen(attempt: &Attempt) -> Seen {
    let answer = match &attempt.outcome {
        Outcome::Delivered { .. } if attempt.directive == Some(Directive::Disable) => {
            Answer::Unwanted
        }
        Outcome::Delivered { .. } => Answer::Success,
        Outcome::Refused { .. } if attempt.directive == Some(Directive::Disable) => {
            Answer::Unwanted
        }
        Outcome::Refused { class, .. } if class.is_internal() => Answer::Internal,
        Outcome::Refused {
            status: Some(429 | 503),
            retry_after,
            ..
        } => Answer::Throttled(*retry_after),
        Outcome::Refused {
            status: Some(410), ..
        } => Answer::Gone,
        Outcome::Refused { class, .. } if class.is_timeout() => Answer::Timeout,
        Outcome::Refused { .. } => Answer::Failure,
    };
    Seen {
        took: attempt.timings.total,
        answer,
    }
}

/// Judges an attempt. `unit_random` is uniform in [0, 1).
pub fn decide(
    chain: &Chain,
    plan: &Plan,
    attempt: &Attempt,
    options: Options,
    now: DateTime<Utc>,
    unit_random: f64,
) -> Verdict {
    let Outcome::Refused {
        class,
        status,
        retry_after,
        ..
    } = &attempt.outcome
    else {
        return chain.end(DeliveryState::Delivered, chain.tries + 1, End::Delivered);
    };
    let left = chain.left(plan, chain.holds, now);
    if class.is_internal() && !left.is_zero() {
        return chain.hold(internal_pause(chain.holds).min(left), left);
    }
    if let Some(ended_as) = chain.ended_as {
        return chain.end(ended_as, chain.tries, End::ReturnedTo(ended_as));
    }
    let is_stopped = attempt.directive == Some(Directive::AbortMessage)
        || chain.trigger == Trigger::Test
        || class.is_ours_to_refuse()
        || (options.stop_on_client_error && status.is_some_and(is_final_client_error));
    if is_stopped {
        return chain.end(DeliveryState::Failed, chain.tries + 1, End::Stopped);
    }
    if let (Some(429 | 503), Some(hint)) = (status, retry_after)
        && chain.holds < HOLDS_MAX
    {
        // What the receiver asks for is not taken from the plan's time.
        return chain.hold(*hint, chain.left(plan, chain.holds + 1, now));
    }
    let burnt = i32::from(chain.trigger != Trigger::Manual);
    let tries = chain.tries + burnt;
    let made = usize::try_from(tries).unwrap_or(usize::MAX);
    match plan.next_wait(made, *retry_after, left, unit_random) {
        Some(next_in) => chain.go_on(tries, chain.holds, next_in),
        None => chain.end(DeliveryState::Failed, tries, End::Exhausted),
    }
}

impl Chain {
    /// The time until its deadline, which each hold moves by as much as one may take.
    fn left(&self, plan: &Plan, holds: i32, now: DateTime<Utc>) -> Duration {
        let of_plan = plan.deadline() + RETRY_AFTER_MAX * holds.unsigned_abs();
        let whole = match self.hours_max {
            Some(hours) => of_plan.min(Duration::from_secs(hours * 3600)),
            None => of_plan,
        };
        let age = (now - self.accepted_at).to_std().unwrap_or_default();
        whole.saturating_sub(age)
    }

    fn hold(&self, pause: Duration, left: Duration) -> Verdict {
        if left.is_zero() || pause > left {
            return self.end(DeliveryState::Failed, self.tries, End::Exhausted);
        }
        Verdict {
            trigger: self.trigger,
            ended_as: self.ended_as,
            ..self.go_on(self.tries, self.holds + 1, pause)
        }
    }

    fn go_on(&self, tries: i32, holds: i32, next_in: Duration) -> Verdict {
        Verdict {
            state: DeliveryState::Pending,
            tries,
            holds,
            next_in: Some(next_in),
            trigger: Trigger::Plan,
            ended_as: None,
            ended: None,
        }
    }

    fn end(&self, state: DeliveryState, tries: i32, end: End) -> Verdict {
        Verdict {
            state,
            tries,
            holds: self.holds,
            next_in: None,
            trigger: Trigger::Plan,
            ended_as: None,
            ended: Some(end),
        }
    }
}

fn internal_pause(holds: i32) -> Duration {
    let doublings = holds.clamp(0, 10).unsigned_abs();
    Duration::from_secs((INTERNAL_SECONDS_MIN << doublings).min(INTERNAL_SECONDS_MAX))
}

fn is_final_client_error(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 429)
}

impl ErrorClass {
    /// A fault of ours: it costs no try.
    pub fn is_internal(self) -> bool {
        self == Self::Internal
    }

    /// The receiver was given its time and did not use it.
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout | Self::TimeoutHeaders | Self::TimeoutBody
        )
    }

    /// We have nothing to send.
    pub fn is_ours_to_refuse(self) -> bool {
        self == Self::Expunged
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
