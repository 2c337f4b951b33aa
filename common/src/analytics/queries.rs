//! Reads of roll-ups.

use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use super::{ActiveAccounts, PeriodMeasures, PeriodRange, SearchTerm};
use crate::ids::UserId;

/// Each period of the range, of an account or of the whole market.
pub async fn list_periods(
    pool: &PgPool,
    account: Option<UserId>,
    range: &PeriodRange,
) -> Result<Vec<PeriodMeasures>, sqlx::Error> {
    sqlx::query_as(
        "select series.starts_at, market.counted_at,
                coalesce(its.uploads_completed, 0) as uploads_completed,
                coalesce(its.uploads_failed, 0) as uploads_failed,
                coalesce(its.views, 0) as views,
                coalesce(its.searches_without_results, 0) as searches_without_results,
                coalesce(its.quotes, 0) as quotes,
                coalesce(its.purchases, 0) as purchases,
                coalesce(its.buyers, 0) as buyers,
                coalesce(its.revenue_minor, 0) as revenue_minor,
                coalesce(its.fees_minor, 0) as fees_minor,
                coalesce(its.refunds, 0) as refunds,
                coalesce(its.refunded_minor, 0) as refunded_minor,
                coalesce(its.refunded_fees_minor, 0) as refunded_fees_minor,
                coalesce(its.downloads, 0) as downloads,
                coalesce(its.webhook_attempts_succeeded, 0) as webhook_attempts_succeeded,
                coalesce(its.webhook_attempts_failed, 0) as webhook_attempts_failed
         from generate_series($3::timestamptz, $4 - make_interval(hours => $5), make_interval(hours => $5)) as series (starts_at)
         left join roll_ups as its
           on its.account_id = $1
          and its.period = $2
          and its.starts_at = series.starts_at
         left join roll_ups as market
           on market.account_id = '00000000-0000-0000-0000-000000000000'
          and market.period = $2
          and market.starts_at = series.starts_at
         order by series.starts_at",
    )
    .bind(account.map_or(Uuid::nil(), |account| account.0))
    .bind(range.period.as_str())
    .bind(range.from)
    .bind(range.to)
    .bind(range.period.hours())
    .fetch_all(pool)
    .await
}

/// The days of the range that were counted.
pub async fn list_active_accounts(
    pool: &PgPool,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<ActiveAccounts>, sqlx::Error> {
    sqlx::query_as(
        "select day, people_day, people_week, people_month, agents_day, agents_week, agents_month
         from active_accounts
         where day >= $1
           and day < $2
         order by day",
    )
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await
}

/// The terms that found nothing in the range, the most frequent first.
pub async fn list_searches_without_results(
    pool: &PgPool,
    range: &PeriodRange,
    limit: i64,
) -> Result<Vec<SearchTerm>, sqlx::Error> {
    sqlx::query_as(
        "select key as term, sum(requests)::bigint as searches
         from request_counts
         where kind = 'search_without_results'
           and starts_at >= $1
           and starts_at < $2
           and key <> ''
         group by key
         order by searches desc, key
         limit $3",
    )
    .bind(range.from)
    .bind(range.to)
    .bind(limit)
    .fetch_all(pool)
    .await
}
