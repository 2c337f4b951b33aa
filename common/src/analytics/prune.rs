//! Takes away what is older than its retention.

use std::time::Duration;

use sqlx::PgPool;

/// What was counted of requests.
pub async fn prune_request_counts(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let counts = sqlx::query(
        "delete from request_counts where starts_at < now() - make_interval(secs => $1)",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    let days = sqlx::query(
        "delete from active_days
         where day < (now() at time zone 'utc' - make_interval(secs => $1))::date",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(counts.rows_affected() + days.rows_affected())
}

/// Roll-ups of hours, by whole days: while a day has hours it has all of them.
pub async fn prune_hours(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from roll_ups
         where period = 'hour'
           and starts_at < date_trunc('day', now() - make_interval(secs => $1), 'UTC')",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}

/// Roll-ups of days, and the active accounts of each.
pub async fn prune_days(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let roll_ups = sqlx::query(
        "delete from roll_ups
         where period = 'day'
           and starts_at < now() - make_interval(secs => $1)",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    let active = sqlx::query(
        "delete from active_accounts
         where day < (now() at time zone 'utc' - make_interval(secs => $1))::date",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(roll_ups.rows_affected() + active.rows_affected())
}
