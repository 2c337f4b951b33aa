//! Takes away what is past its time: the rules of retention, one row each. Their periods, with the reasons, are in
//! `common/src/limits/retention.rs`. What no rule names is kept: the ledger, purchases, events of the market, the audit log.

use std::time::Duration;

use common::config::RetentionConfig;
use common::db::{Error, PgPool};
use common::limits::{
    CARD_NOTICE_KEPT, DAILY_ROLL_UP_KEPT, DEAD_WORKER_KEPT, ENDED_LEASE_KEPT, ENDED_SESSION_KEPT,
    EVENT_FEED_KEPT, FINISHED_JOB_KEPT, HOURLY_ROLL_UP_KEPT, IDEMPOTENCY_KEPT, OAUTH_ATTEMPT_KEPT,
    QUOTE_KEPT, REQUEST_COUNT_KEPT, SIGN_IN_DEVICE_KEPT, STREAM_EVENT_KEPT,
};
use common::{
    accounts, analytics, events, idempotency, jobs, leases, payments, quotes, replays, webhooks,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// Rows that are kept for a time.
struct Rule {
    rows: &'static str,
    kept: Duration,
    prune: Prune,
}

/// Takes away the rows that are older: how many.
type Prune = for<'a> fn(&'a PgPool, Duration) -> BoxFuture<'a, Result<u64, Error>>;

#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule("jobs", FINISHED_JOB_KEPT, |pool, kept| jobs::prune_finished(pool, kept).boxed()),
    rule("workers", DEAD_WORKER_KEPT, |pool, kept| jobs::prune_workers(pool, kept).boxed()),
    rule("idempotency keys", IDEMPOTENCY_KEPT, |pool, kept| idempotency::prune(pool, kept).boxed()),
    rule("replays", IDEMPOTENCY_KEPT, |pool, kept| replays::prune(pool, kept).boxed()),
    rule("sessions", ENDED_SESSION_KEPT, |pool, kept| accounts::prune_sessions(pool, kept).boxed()),
    rule("sign-ins at GitHub", OAUTH_ATTEMPT_KEPT, |pool, kept| accounts::prune_oauth_attempts(pool, kept).boxed()),
    rule("devices", SIGN_IN_DEVICE_KEPT, |pool, kept| accounts::prune_devices(pool, kept).boxed()),
    rule("quotes", QUOTE_KEPT, |pool, kept| quotes::prune(pool, kept).boxed()),
    rule("card notices", CARD_NOTICE_KEPT, |pool, kept| payments::commands::prune_notices(pool, kept).boxed()),
    rule("leases", ENDED_LEASE_KEPT, |pool, kept| leases::prune(pool, kept).boxed()),
    rule("request counts", REQUEST_COUNT_KEPT, |pool, kept| analytics::prune_request_counts(pool, kept).boxed()),
    rule("hourly roll-ups", HOURLY_ROLL_UP_KEPT, |pool, kept| analytics::prune_hours(pool, kept).boxed()),
    rule("event feeds", EVENT_FEED_KEPT, |pool, kept| events::prune_feed(pool, kept).boxed()),
    rule("events of streams", STREAM_EVENT_KEPT, |pool, kept| events::prune_streams(pool, kept).boxed()),
    rule("daily roll-ups", DAILY_ROLL_UP_KEPT, |pool, kept| analytics::prune_days(pool, kept).boxed()),
];

const fn rule(rows: &'static str, kept: Duration, prune: Prune) -> Rule {
    Rule { rows, kept, prune }
}

/// One round: each rule, also after one that failed, and then webhooks, whose periods are configured. Returns the first
/// error.
pub async fn sweep(pool: &PgPool, config: RetentionConfig) -> Result<(), Error> {
    let mut outcome = Ok(());
    for rule in RULES {
        let pruned = (rule.prune)(pool, rule.kept).await;
        outcome = outcome.and(note(rule.rows, pruned));
    }
    let dropped = webhooks::retain(pool, config.body_days, config.attempt_days).await;
    outcome.and(note("webhook events", dropped))
}

fn note(rows: &str, pruned: Result<u64, Error>) -> Result<(), Error> {
    let count = pruned?;
    if count > 0 {
        tracing::info!(
            retention.rows = rows,
            retention.pruned = count,
            "Pruned old rows"
        );
    }
    Ok(())
}
