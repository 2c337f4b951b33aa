//! Counts the facts of hours and days, whole, over what was counted before.
//!
//! The row of the market for an hour says when the hour was last counted, so what is due is found there: hours that were
//! never counted, also those in which no scheduler led, those that a rebuild asks for, the present, and now and then the
//! last two days. Some hours and their day are recounted in one transaction, which locks the day: two that recount one day
//! do so one after the other, and the second sees at least what the first saw. A run that is killed leaves the day as it
//! was, and due.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};

use super::{Period, observe};
use crate::config::RetentionConfig;
use crate::db;
use crate::limits::{
    HOURLY_ROLL_UP_KEPT, QUOTE_KEPT, REQUEST_COUNT_KEPT, ROLL_UP_CORRECTED, ROLL_UP_RECENT,
    ROLL_UP_STATEMENT_HOURS, ROLL_UP_STATEMENTS_MAX,
};

/// Days of the longest time in which accounts are counted as active.
const ACTIVE_DAYS: i64 = 30;

/// Hours of one day that are due.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct DueHours {
    day: DateTime<Utc>,
    from_hour: DateTime<Utc>,
    to_hour: DateTime<Utc>,
}

/// From when on all rows of a source are kept. What was counted of earlier hours stays as it is.
#[derive(Debug, Clone, Copy)]
struct Horizon {
    request_counts: DateTime<Utc>,
    quotes: DateTime<Utc>,
    webhook_attempts: DateTime<Utc>,
}

impl Horizon {
    fn at(now: DateTime<Utc>, retention: RetentionConfig) -> Self {
        let since = |kept: Duration| {
            let kept = TimeDelta::from_std(kept).unwrap_or(TimeDelta::MAX);
            Period::Hour.end_of(now - kept) + Period::Hour.length()
        };
        let attempt_hours = u64::from(retention.attempt_days.unsigned_abs()) * 24;
        Self {
            request_counts: since(REQUEST_COUNT_KEPT),
            quotes: since(QUOTE_KEPT),
            webhook_attempts: since(Duration::from_hours(attempt_hours)),
        }
    }

    /// The first day whose active accounts can be counted, with all the days before it that count too.
    fn active_accounts(&self) -> DateTime<Utc> {
        Period::Day.end_of(self.request_counts) + TimeDelta::days(ACTIVE_DAYS)
    }
}

/// Recounts the hours that are due, those of the latest day first, and shows the business metrics: whether it left some for
/// the next step.
pub async fn roll_up(pool: &PgPool, retention: RetentionConfig) -> Result<bool, sqlx::Error> {
    let now = note_hours(pool).await?;
    let horizon = Horizon::at(now, retention);
    for _ in 0..ROLL_UP_STATEMENTS_MAX {
        let Some(due) = find_due(pool, now).await? else {
            observe::show(pool).await?;
            return Ok(false);
        };
        recount(pool, &due, &horizon).await?;
    }
    Ok(true)
}

/// Makes a row of the market for each hour up to now, from the last one or the first account on. Returns the time.
async fn note_hours(pool: &PgPool) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar(
        "with noted as (
             insert into roll_ups (account_id, period, starts_at)
             select '00000000-0000-0000-0000-000000000000', 'hour', hour
             from generate_series(
                 greatest(
                     date_trunc('day', now() - make_interval(secs => $1), 'UTC') + interval '1 day',
                     coalesce(
                         (
                             select max(starts_at)
                             from roll_ups
                             where account_id = '00000000-0000-0000-0000-000000000000'
                               and period = 'hour'
                         ),
                         (select date_trunc('hour', min(created_at), 'UTC') from users),
                         date_trunc('hour', now(), 'UTC')
                     )
                 ),
                 now(),
                 interval '1 hour'
             ) as hour
             on conflict do nothing
         )
         select now()",
    )
    .bind(HOURLY_ROLL_UP_KEPT.as_secs_f64())
    .fetch_one(pool)
    .await
}

async fn find_due(pool: &PgPool, now: DateTime<Utc>) -> Result<Option<DueHours>, sqlx::Error> {
    sqlx::query_as(
        "select date_trunc('day', starts_at, 'UTC') as day, min(starts_at) as from_hour,
                least(max(starts_at) + interval '1 hour', min(starts_at) + make_interval(hours => $4)) as to_hour
         from roll_ups
         where account_id = '00000000-0000-0000-0000-000000000000'
           and period = 'hour'
           and (counted_at is null
                or (starts_at > $1 - make_interval(secs => $2) and counted_at < $1)
                or (starts_at > $1 - make_interval(secs => $3) and counted_at < $1 - interval '1 hour'))
         group by day
         order by day desc
         limit 1",
    )
    .bind(now)
    .bind(ROLL_UP_RECENT.as_secs_f64())
    .bind(ROLL_UP_CORRECTED.as_secs_f64())
    .bind(ROLL_UP_STATEMENT_HOURS)
    .fetch_optional(pool)
    .await
}

async fn recount(pool: &PgPool, due: &DueHours, horizon: &Horizon) -> Result<(), sqlx::Error> {
    let mut tx = db::begin(pool).await?;
    lock_day_in_tx(&mut tx, due.day).await?;
    count_hours_in_tx(&mut tx, due, horizon).await?;
    count_day_in_tx(&mut tx, due.day).await?;
    if due.day >= horizon.active_accounts() {
        count_active_accounts_in_tx(&mut tx, due.day).await?;
    }
    db::commit(tx).await
}

/// Until the end of the transaction nobody else recounts the day. What is read after this is no older than what whoever
/// had it before has read.
async fn lock_day_in_tx(conn: &mut PgConnection, day: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select
         from roll_ups
         where account_id = '00000000-0000-0000-0000-000000000000'
           and period = 'hour'
           and starts_at >= $1
           and starts_at < $1 + interval '24 hours'
         order by starts_at
         for no key update",
    )
    .bind(day)
    .execute(conn)
    .await?;
    Ok(())
}

async fn count_hours_in_tx(
    conn: &mut PgConnection,
    due: &DueHours,
    horizon: &Horizon,
) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("count_hours.sql"))
        .bind(due.from_hour)
        .bind(due.to_hour)
        .bind(horizon.request_counts)
        .bind(horizon.quotes)
        .bind(horizon.webhook_attempts)
        .execute(conn)
        .await?;
    Ok(())
}

async fn count_day_in_tx(conn: &mut PgConnection, day: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("count_day.sql"))
        .bind(day)
        .execute(conn)
        .await?;
    Ok(())
}

async fn count_active_accounts_in_tx(
    conn: &mut PgConnection,
    day: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into active_accounts (
             day, people_day, people_week, people_month, agents_day, agents_week, agents_month
         )
         select $1,
                count(distinct account_id) filter (where kind = 'person' and day = $1),
                count(distinct account_id) filter (where kind = 'person' and day > $1 - 7),
                count(distinct account_id) filter (where kind = 'person'),
                count(distinct account_id) filter (where kind = 'agent' and day = $1),
                count(distinct account_id) filter (where kind = 'agent' and day > $1 - 7),
                count(distinct account_id) filter (where kind = 'agent')
         from active_days
         join users on users.id = account_id
         where day > $1 - $2
           and day <= $1
         on conflict (day) do update
         set people_day = excluded.people_day,
             people_week = excluded.people_week,
             people_month = excluded.people_month,
             agents_day = excluded.agents_day,
             agents_week = excluded.agents_week,
             agents_month = excluded.agents_month",
    )
    .bind(day.date_naive())
    .bind(ACTIVE_DAYS as i32)
    .execute(conn)
    .await?;
    Ok(())
}
