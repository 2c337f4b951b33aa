//! Retry plans: how long to wait before the next try of a delivery.
//!
//! Pure: the random number, the receiver's hint and the age are arguments. Each plan ends after its
//! last try or at its deadline, whichever comes first; a try that jitter would carry past the deadline
//! is made at the deadline.

use std::time::Duration;

use thiserror::Error;

use super::retry_after::RETRY_AFTER_MAX;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Seconds between a try and the one before it. The first try is at once; 191 h 42 m 35 s in all, so
/// a receiver may be away for a long weekend and a working week.
const STANDARD_SECONDS: [u64; 18] = [
    0,
    5,
    30,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    12 * HOUR,
    20 * HOUR,
    DAY,
    DAY,
    DAY,
    DAY,
    DAY,
    DAY,
];
/// For news that are worthless tomorrow: 8 tries within a day.
const FAST_SECONDS: [u64; 8] = [
    0,
    5,
    30,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    6 * HOUR,
    15 * HOUR,
];

/// Tries of a plan of one's own.
pub const CUSTOM_TRIES_MAX: usize = 20;
const CUSTOM_WAIT_SECONDS_MAX: u64 = 48 * HOUR;
const CUSTOM_SECONDS_MAX: u64 = 14 * DAY;

/// When a delivery is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Plan {
    /// 18 tries in eight days.
    #[default]
    Standard,
    /// 8 tries in a day.
    Fast,
    /// The waits before the second and each later try, in seconds.
    Custom(Vec<u64>),
}

/// Why a list of waits is no plan.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum PlanError {
    /// No such name, or a list where none belongs.
    #[error("a plan is `standard`, `fast`, or `custom` with a list of waits")]
    Name,
    /// Too few or too many tries.
    #[error("a custom plan has 1 to {} waits", CUSTOM_TRIES_MAX - 1)]
    Tries,
    /// One wait is out of range.
    #[error("each wait of a custom plan is 1 to {CUSTOM_WAIT_SECONDS_MAX} seconds")]
    Wait,
    /// All together take too long.
    #[error("the waits of a custom plan sum to at most {CUSTOM_SECONDS_MAX} seconds (14 days)")]
    Sum,
}

impl Plan {
    /// Reads a row or a request: a name, and for `custom` the waits in seconds.
    pub fn from_parts(name: &str, seconds: Option<&[i32]>) -> Result<Self, PlanError> {
        match (name, seconds) {
            ("standard", None) => Ok(Self::Standard),
            ("fast", None) => Ok(Self::Fast),
            ("custom", Some(seconds)) => Self::custom(seconds),
            _ => Err(PlanError::Name),
        }
    }

    fn custom(seconds: &[i32]) -> Result<Self, PlanError> {
        if seconds.is_empty() || seconds.len() >= CUSTOM_TRIES_MAX {
            return Err(PlanError::Tries);
        }
        let waits: Vec<u64> = seconds
            .iter()
            .map(|wait| u64::try_from(*wait).unwrap_or(0))
            .collect();
        if waits
            .iter()
            .any(|wait| !(1..=CUSTOM_WAIT_SECONDS_MAX).contains(wait))
        {
            return Err(PlanError::Wait);
        }
        match waits.iter().sum::<u64>() <= CUSTOM_SECONDS_MAX {
            true => Ok(Self::Custom(waits)),
            false => Err(PlanError::Sum),
        }
    }

    /// Its name in SQL and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fast => "fast",
            Self::Custom(_) => "custom",
        }
    }

    /// The waits of a custom plan.
    pub fn seconds(&self) -> Option<Vec<i32>> {
        match self {
            Self::Standard | Self::Fast => None,
            Self::Custom(waits) => Some(
                waits
                    .iter()
                    .map(|wait| i32::try_from(*wait).unwrap_or(i32::MAX))
                    .collect(),
            ),
        }
    }

    /// The number of tries.
    pub fn tries(&self) -> usize {
        match self {
            Self::Standard => STANDARD_SECONDS.len(),
            Self::Fast => FAST_SECONDS.len(),
            Self::Custom(waits) => waits.len() + 1,
        }
    }

    /// The waits before the second and each later try, without jitter.
    pub fn waits(&self) -> Vec<Duration> {
        let seconds = (1..self.tries()).filter_map(|made| self.wait_seconds(made));
        seconds.map(Duration::from_secs).collect()
    }

    /// The wait before the try that follows so many, without jitter.
    fn wait_seconds(&self, tries_made: usize) -> Option<u64> {
        match self {
            Self::Standard => STANDARD_SECONDS.get(tries_made).copied(),
            Self::Fast => FAST_SECONDS.get(tries_made).copied(),
            Self::Custom(waits) => match tries_made {
                0 => Some(0),
                _ => waits.get(tries_made - 1).copied(),
            },
        }
    }

    /// A delivery is given up this long after it was accepted, whatever is left of the plan: its
    /// waits and a little more.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Standard => 192 * HOUR,
            Self::Fast => 25 * HOUR,
            Self::Custom(waits) => waits.iter().sum::<u64>() * 5 / 4 + MINUTE,
        })
    }

    /// The wait before the next try, or none when the plan is over.
    ///
    /// `retry_after` is the receiver's hint (capped at [`RETRY_AFTER_MAX`] and never undercut),
    /// `left` is the time until the deadline, `unit_random` is uniform in [0, 1). Jitter multiplies
    /// the planned wait by 1.0 to 1.25, the first retry by 0.8 to 1.6: it spreads what failed together.
    pub fn next_wait(
        &self,
        tries_made: usize,
        retry_after: Option<Duration>,
        left: Duration,
        unit_random: f64,
    ) -> Option<Duration> {
        let planned = Duration::from_secs(self.wait_seconds(tries_made)?);
        let (lowest, highest) = match tries_made {
            1 => (0.8, 1.6),
            _ => (1.0, 1.25),
        };
        let factor = lowest + (highest - lowest) * unit_random.clamp(0.0, 1.0);
        let hint = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        let wait = planned.mul_f64(factor).max(hint);
        if wait <= left {
            return Some(wait);
        }
        // Jitter alone does not cost the last try; a hint beyond the deadline is a refusal.
        (!left.is_zero() && hint <= left).then_some(left)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
