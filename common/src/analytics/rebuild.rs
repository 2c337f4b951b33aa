//! Recounting the past on request.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use super::{Period, ROLL_UP_TASK};
use crate::limits::{HOURLY_ROLL_UP_KEPT, REBUILD_DAYS_MAX};
use crate::scheduled_tasks;
use crate::uploads::FieldFault;

/// Whole days that an operator wants recounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuild {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Rebuild {
    /// The days that have a part in this time, up to today.
    pub fn new(
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Self, FieldFault> {
        let kept = TimeDelta::from_std(HOURLY_ROLL_UP_KEPT).unwrap_or(TimeDelta::MAX);
        let kept_from = Period::Day.end_of(now - kept);
        let from = Period::Day.start_of(from);
        let to = Period::Day.end_of(to.min(now));
        if from >= to {
            Err(FieldFault::new(
                "from",
                "must be before to, and in the past",
            ))
        } else if from < kept_from {
            let message = format!("must be {kept_from:?} or later: hours before it are not kept");
            Err(FieldFault::new("from", message))
        } else if (to - from).num_days() > REBUILD_DAYS_MAX {
            let message = format!("must be at most {REBUILD_DAYS_MAX} days before to");
            Err(FieldFault::new("from", message))
        } else {
            Ok(Self { from, to })
        }
    }
}

/// Requests that the scheduler recounts the hours of these days. Returns how many there are.
pub async fn rebuild(pool: &PgPool, days: &Rebuild) -> Result<u64, sqlx::Error> {
    let marked = sqlx::query(
        "insert into roll_ups (account_id, period, starts_at)
         select '00000000-0000-0000-0000-000000000000', 'hour', hour
         from generate_series($1, least($2, now()) - interval '1 microsecond', interval '1 hour') as hour
         on conflict (account_id, period, starts_at) do update
         set counted_at = null",
    )
    .bind(days.from)
    .bind(days.to)
    .execute(pool)
    .await?;
    scheduled_tasks::request(pool, ROLL_UP_TASK).await?;
    Ok(marked.rows_affected())
}

/// How many hours wait to be counted.
pub async fn count_waiting_hours(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*)
         from roll_ups
         where account_id = '00000000-0000-0000-0000-000000000000'
           and period = 'hour'
           and counted_at is null",
    )
    .fetch_one(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_is_of_whole_days_whose_hours_are_kept() {
        let at = |time: &str| -> DateTime<Utc> { format!("{time}:00Z").parse().unwrap() };
        let rebuild = |from: &str, to: &str| {
            Rebuild::new(at(from), at(to), at("2026-11-28T10:17"))
                .map(|days| (days.from, days.to))
                .map_err(|fault| fault.message)
        };
        let days = rebuild("2026-11-01T05:00", "2026-11-02T00:01");
        assert_eq!(days, Ok((at("2026-11-01T00:00"), at("2026-11-03T00:00"))));
        let today = rebuild("2026-11-28T00:00", "9999-01-01T00:00");
        assert_eq!(today, Ok((at("2026-11-28T00:00"), at("2026-11-29T00:00"))));
        for (from, to, fault) in [
            ("2026-11-29T00:00", "2026-12-01T00:00", "in the past"),
            ("2026-11-02T00:00", "2026-11-02T00:00", "before to"),
            (
                "2025-10-24T00:00",
                "2025-11-01T00:00",
                "2025-10-25T00:00:00Z or later",
            ),
            ("2025-10-25T00:00", "2026-11-01T00:00", "at most 366 days"),
        ] {
            let message = rebuild(from, to).unwrap_err();
            assert!(message.contains(fault), "{message}");
        }
    }
}
