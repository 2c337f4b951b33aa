//! When a task runs.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// When a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// This long after its last run ended, so that a slow task never runs without a pause.
    Every(Duration),
    /// The same, and at once when a scheduler begins to lead: what it measures is shown by the process that leads.
    AtOnceThenEvery(Duration),
    /// At the times of a cron expression, in UTC.
    Cron(&'static str),
}

impl Schedule {
    /// Whether a run is due when a scheduler begins to lead, whenever the last one was.
    pub fn is_due_at_once(self) -> bool {
        matches!(self, Self::AtOnceThenEvery(_))
    }

    /// The time of the run after one that ended now. Ticks that passed meanwhile count once.
    pub fn next(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Every(pause) | Self::AtOnceThenEvery(pause) => {
                now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX)
            }
            Self::Cron(expression) => cron_parser::parse(expression, &now)
                .expect("the expressions of the table are tested"),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(pause) => write!(f, "every {pause:?}"),
            Self::AtOnceThenEvery(pause) => write!(f, "at once, then every {pause:?}"),
            Self::Cron(expression) => f.write_str(expression),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    #[test]
    fn what_runs_every_so_often_runs_so_long_after_its_end() {
        let schedule = Schedule::Every(Duration::from_millis(250));
        let now = at("2026-11-28T10:17:00Z");
        assert_eq!(schedule.next(now), at("2026-11-28T10:17:00.250Z"));
        assert_eq!(schedule.to_string(), "every 250ms");
        assert!(!schedule.is_due_at_once());
    }

    #[test]
    fn what_also_runs_at_once_does_so_when_a_scheduler_begins_to_lead() {
        let schedule = Schedule::AtOnceThenEvery(Duration::from_secs(60));
        assert!(schedule.is_due_at_once());
        let next = schedule.next(at("2026-11-28T10:17:00Z"));
        assert_eq!(next, at("2026-11-28T10:18:00Z"));
        assert_eq!(schedule.to_string(), "at once, then every 60s");
    }

    #[test]
    fn what_has_a_cron_expression_runs_at_its_next_time_in_utc() {
        let schedule = Schedule::Cron("17 * * * *");
        let next = [
            ("2026-11-28T10:16:59.9Z", "2026-11-28T10:17:00Z"),
            ("2026-11-28T10:17:00Z", "2026-11-28T11:17:00Z"),
            ("2026-12-31T23:40:00Z", "2027-01-01T00:17:00Z"),
        ];
        for (now, next) in next {
            assert_eq!(schedule.next(at(now)), at(next), "{now}");
        }
        assert_eq!(schedule.to_string(), "17 * * * *");
    }
}
