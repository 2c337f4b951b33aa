//! Periods, and ranges of them: whole hours and days in UTC.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::{ANALYTICS_DAYS_MAX, ANALYTICS_HOURS_MAX};
use crate::uploads::FieldFault;

/// How long a period is. Days begin at midnight, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Hour,
    #[default]
    Day,
}

impl Period {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    pub fn hours(self) -> i32 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
        }
    }

    pub fn length(self) -> TimeDelta {
        TimeDelta::hours(self.hours().into())
    }

    /// The start of the period in which this is.
    pub fn start_of(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let into = at.timestamp().rem_euclid(self.length().num_seconds());
        DateTime::from_timestamp(at.timestamp() - into, 0).expect("it is no later than `at`")
    }

    /// The first end of a period that is no earlier than this.
    pub fn end_of(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let start = self.start_of(at);
        if start == at {
            start
        } else {
            start + self.length()
        }
    }

    /// Periods of one answer: the default and the maximum.
    fn periods(self) -> (i32, i64) {
        match self {
            Self::Hour => (24, ANALYTICS_HOURS_MAX),
            Self::Day => (30, ANALYTICS_DAYS_MAX),
        }
    }
}

/// One or more whole periods, up to the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeriodRange {
    pub period: Period,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl PeriodRange {
    /// The periods that have a part in the time from `from` to `to`: up to now if there is no end, and the last 24 hours
    /// or 30 days of that if there is no beginning.
    pub fn new(
        period: Period,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, FieldFault> {
        let (usual, most) = period.periods();
        let to = period.end_of(to.unwrap_or(now).min(now));
        let from = from.map_or(to - period.length() * usual, |from| period.start_of(from));
        let range = Self { period, from, to };
        if from >= to {
            Err(FieldFault::new(
                "from",
                "must be before to, and in the past",
            ))
        } else if range.count() > most {
            let message = format!("must be at most {most} {}s before to", period.as_str());
            Err(FieldFault::new("from", message))
        } else {
            Ok(range)
        }
    }

    /// How many periods there are.
    pub fn count(&self) -> i64 {
        (self.to - self.from).num_seconds() / self.period.length().num_seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    fn range(period: Period, from: Option<&str>, to: Option<&str>) -> Result<[String; 2], String> {
        let now = at("2026-11-28T10:17:00Z");
        let range = PeriodRange::new(period, from.map(at), to.map(at), now);
        range
            .map(|range| [range.from, range.to].map(|at| at.format("%dT%H:%M").to_string()))
            .map_err(|fault| format!("{} {}", fault.field, fault.message))
    }

    #[test]
    fn a_range_is_of_whole_periods_up_to_the_current_one() {
        let hour = Period::Hour;
        for (from, to, expected) in [
            (None, None, ["27T11:00", "28T11:00"]),
            (
                Some("2026-11-28T08:59:59Z"),
                Some("2026-11-28T09:00:01Z"),
                ["28T08:00", "28T10:00"],
            ),
            (
                Some("2026-11-28T09:00:00Z"),
                Some("2026-11-28T10:00:00Z"),
                ["28T09:00", "28T10:00"],
            ),
            (
                Some("2026-11-28T09:00:00Z"),
                Some("9999-12-31T23:59:59Z"),
                ["28T09:00", "28T11:00"],
            ),
        ] {
            assert_eq!(range(hour, from, to), Ok(expected.map(str::to_owned)));
        }
        let days = range(Period::Day, None, None).unwrap();
        assert_eq!(days, ["30T00:00", "29T00:00"]);
    }

    #[test]
    fn a_range_that_is_empty_or_too_long_names_its_beginning() {
        let past = "must be before to, and in the past";
        for (period, from, to, fault) in [
            (Period::Hour, "2026-11-28T11:00:00Z", None, past),
            (Period::Hour, "9999-12-31T23:59:59Z", None, past),
            (
                Period::Day,
                "2026-11-20T00:00:00Z",
                Some("2026-11-20T00:00:00Z"),
                past,
            ),
            (
                Period::Day,
                "1970-01-01T00:00:00Z",
                None,
                "must be at most 366 days before to",
            ),
            (
                Period::Hour,
                "2026-10-01T00:00:00Z",
                None,
                "must be at most 744 hours before to",
            ),
        ] {
            assert_eq!(range(period, Some(from), to), Err(format!("from {fault}")));
        }
    }
}
