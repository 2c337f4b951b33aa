//! Upkeep: what the scheduler does for webhooks, so that nothing due is forgotten and nothing old kept.

use sqlx::PgPool;

use crate::ids::JobId;
use crate::jobs;
use crate::limits::{HELD_DAYS, RECONCILE_ROWS_MAX, WEBHOOK_PRUNE_ROWS_MAX};
use crate::outbox::Outbox;
use crate::telemetry::metrics;

/// Rings the alarms of endpoints that have something due although nobody rang: whoever committed it
/// died before it could.
pub async fn reconcile(outbox: &Outbox) -> Result<u64, sqlx::Error> {
    let forgotten: Vec<JobId> = sqlx::query_scalar(
        "select jobs.id
         from webhook_endpoints as endpoint
         join jobs
           on jobs.id = endpoint.job_id
         where endpoint.deleted_at is null
           and (jobs.state = 'idle'
                or (jobs.state = 'ready' and run_at > greatest(now(), coalesce(rests_until, now()))))
           and not exists (select from users where users.id = endpoint.owner_id and blocked_at is not null)
           and exists (
               select
               from webhook_deliveries as delivery
               where endpoint_id = endpoint.id
                 and delivery.state = 'pending'
                 and next_at < now() - interval '1 second'
                 and not webhook_waits_its_turn(endpoint_id, ordered, subject, sequence)
           )
         limit $1",
    )
    .bind(RECONCILE_ROWS_MAX)
    .fetch_all(outbox.pool())
    .await?;
    if forgotten.is_empty() {
        return Ok(0);
    }
    for alarm in jobs::ring(outbox.pool(), &forgotten).await? {
        outbox.wake_alarm(alarm);
    }
    let count = forgotten.len() as u64;
    metrics().webhook_reconciled.inc_by(count);
    Ok(count)
}

/// What has not ended.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Backlog {
    pub due: i64,
    pub later: i64,
    pub held: i64,
    /// Age of the oldest due delivery whose endpoint is not resting.
    pub oldest_due_seconds: f64,
}

/// Counts what has not ended, into the gauges too.
pub async fn observe_backlog(pool: &PgPool) -> Result<Backlog, sqlx::Error> {
    let backlog: Backlog = sqlx::query_as(
        "select count(*) filter (where delivery.state = 'pending' and next_at <= now()) as due,
                count(*) filter (where delivery.state = 'pending' and next_at > now()) as later,
                count(*) filter (where delivery.state = 'held') as held,
                coalesce(extract(epoch from now() - min(next_at) filter (
                    where delivery.state = 'pending'
                      and next_at <= now()
                      and (rests_until is null or rests_until <= now())
                      and blocked_at is null
                )), 0)::float8 as oldest_due_seconds
         from webhook_deliveries as delivery
         join webhook_endpoints as endpoint
           on endpoint.id = endpoint_id
         join jobs
           on jobs.id = endpoint.job_id
         join users
           on users.id = endpoint.owner_id
         where delivery.state in ('pending', 'held')",
    )
    .fetch_one(pool)
    .await?;
    let gauges = &metrics().webhook_backlog;
    gauges.with_label_values(&["due"]).set(backlog.due);
    gauges.with_label_values(&["later"]).set(backlog.later);
    gauges.with_label_values(&["held"]).set(backlog.held);
    metrics()
        .webhook_oldest_due_seconds
        .set(backlog.oldest_due_seconds);
    Ok(backlog)
}

/// How long the delivery that waits the longest has been due, for health: a look at the alarms alone.
pub async fn oldest_due_seconds(pool: &PgPool) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(extract(epoch from now() - min(run_at)), 0)::float8
         from jobs
         where name = 'deliver_webhook'
           and state = 'ready'
           and run_at <= now()",
    )
    .fetch_one(pool)
    .await
}

/// Drops what is older than its retention: bodies and attempts by the day, events whose deliveries have
/// all ended for as long as attempts are kept in batches, so that no attempt outlives its delivery. What was held for too
/// long is discarded.
pub async fn retain(pool: &PgPool, body_days: i32, attempt_days: i32) -> Result<u64, sqlx::Error> {
    let dropped: i32 = sqlx::query_scalar("select keep_webhook_partitions($1, $2)")
        .bind(body_days)
        .bind(attempt_days)
        .fetch_one(pool)
        .await?;
    sqlx::query(
        "update webhook_deliveries
         set state = 'discarded', finished_at = now()
         where state = 'held'
           and created_at < now() - make_interval(days => $1)",
    )
    .bind(HELD_DAYS)
    .execute(pool)
    .await?;
    let pruned = sqlx::query(
        "with old as (
             select id
             from webhook_events
             where occurred_at < now() - make_interval(days => $1)
               and not exists (
                   select
                   from webhook_deliveries
                   where event_id = webhook_events.id
                     and (state in ('pending', 'held') or finished_at >= now() - make_interval(days => $1))
               )
             order by occurred_at
             limit $2
         ),
         gone as (
             delete from webhook_deliveries
             using old
             where event_id = old.id
         )
         delete from webhook_events
         using old
         where webhook_events.id = old.id",
    )
    .bind(attempt_days)
    .bind(WEBHOOK_PRUNE_ROWS_MAX)
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected() + u64::from(dropped.unsigned_abs()))
}
