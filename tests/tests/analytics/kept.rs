//! Retention: each rule takes what is past its time, and nothing younger.

use std::time::Duration;

use common::config::RetentionConfig;
use common::db::{Error, PgPool};
use common::limits::{
    DAILY_ROLL_UP_KEPT, HOURLY_ROLL_UP_KEPT, IDEMPOTENCY_KEPT, OAUTH_ATTEMPT_KEPT, QUOTE_KEPT,
    REQUEST_COUNT_KEPT,
};
use scheduler::sweeps::sweep_retention;
use sqlx::AssertSqlSafe;
use tests::World;

/// A row that is a day past its time, and one that has a day left, by the number of seconds since its time.
const ROWS: [(&str, Duration, &str); 9] = [
    (
        "replays",
        IDEMPOTENCY_KEPT,
        "insert into replays (scope, key, fingerprint, begun_at)
         values ('\\x01', $1::text, 'f', now() - make_interval(secs => $1))",
    ),
    (
        "idempotency_keys",
        IDEMPOTENCY_KEPT,
        "insert into idempotency_keys (user_id, endpoint, key, fingerprint, status, body, created_at)
         select id, 'e', $1::text, sha256('f'), 200, '{}', now() - make_interval(secs => $1)
         from users
         where name = 'seller'",
    ),
    (
        "oauth_attempts",
        OAUTH_ATTEMPT_KEPT,
        "insert into oauth_attempts (state_digest, browser_digest, verifier, expires_at)
         values (sha256($1::text::bytea), 'b', 'v', now() - make_interval(secs => $1))",
    ),
    (
        "sessions",
        common::limits::ENDED_SESSION_KEPT,
        "insert into sessions (id, user_id, user_agent, address, network, expires_at)
         select gen_random_uuid(), id, '', '', '', now() - make_interval(secs => $1)
         from users
         where name = 'seller'",
    ),
    (
        "quotes",
        QUOTE_KEPT,
        "insert into quotes (
             id, buyer_id, package_id, listing_version, price_minor, currency, package_sha256, w_matrix_sha256, token,
             expires_at
         )
         select gen_random_uuid(), id, id, 1, 1, 'USD', sha256('a'), sha256('b'), 't',
                now() - make_interval(secs => $1)
         from users
         where name = 'seller'",
    ),
    (
        "request_counts",
        REQUEST_COUNT_KEPT,
        "insert into request_counts (starts_at, kind, key, process_id, requests)
         values (date_trunc('hour', now() - make_interval(secs => $1), 'UTC'), 'view', 'pkg_1', gen_random_uuid(), 1)",
    ),
    (
        "active_days",
        REQUEST_COUNT_KEPT,
        "insert into active_days (day, account_id)
         values ((now() at time zone 'utc' - make_interval(secs => $1))::date, gen_random_uuid())",
    ),
    (
        "roll_ups",
        HOURLY_ROLL_UP_KEPT,
        "insert into roll_ups (account_id, period, starts_at)
         values (gen_random_uuid(), 'hour', date_trunc('hour', now() - make_interval(secs => $1), 'UTC'))",
    ),
    (
        "active_accounts",
        DAILY_ROLL_UP_KEPT,
        "insert into active_accounts
         values ((now() at time zone 'utc' - make_interval(secs => $1))::date, 1, 1, 1, 1, 1, 1)",
    ),
];
const DAY: f64 = 86_400.0;

async fn run(world: &World, sql: &str, seconds: f64) {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .bind(seconds)
        .execute(&world.pool)
        .await
        .unwrap();
}

/// With the rights of the services.
async fn sweep(world: &World) -> Result<(), Error> {
    let services = PgPool::connect(world.database_url()).await.unwrap();
    sweep_retention(&services, RetentionConfig::default()).await
}

async fn count(world: &World, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_swept_when_their_time_is_over_and_no_earlier() {
    let world = World::only_api().await;
    for (table, kept, insert) in ROWS {
        assert_eq!(count(&world, table).await, 0, "{table}");
        for seconds in [
            kept.as_secs_f64() + 1.1 * DAY,
            kept.as_secs_f64() - 1.1 * DAY,
        ] {
            run(&world, insert, seconds).await;
        }
        assert_eq!(count(&world, table).await, 2, "{table}");
    }
    sweep(&world).await.unwrap();
    for (table, ..) in ROWS {
        assert_eq!(count(&world, table).await, 1, "{table}");
    }
}

/// A day that has hours has all of them, or it would be recounted from a part.
#[tokio::test(flavor = "multi_thread")]
async fn hours_go_by_whole_days_and_the_day_stays() {
    let world = World::only_api().await;
    let hours = "insert into roll_ups (account_id, period, starts_at)
                 select '00000000-0000-0000-0000-000000000000', 'hour', hour
                 from generate_series(
                     date_trunc('day', now() - make_interval(secs => $1) - interval '1 day', 'UTC'),
                     date_trunc('day', now() - make_interval(secs => $1), 'UTC') + interval '23 hours',
                     interval '1 hour'
                 ) as hour";
    run(&world, hours, HOURLY_ROLL_UP_KEPT.as_secs_f64()).await;
    let day = "insert into roll_ups (account_id, period, starts_at)
               select account_id, 'day', starts_at
               from roll_ups
               where starts_at = date_trunc('day', starts_at, 'UTC')
                 and $1 > 0";
    run(&world, day, 1.0).await;
    assert_eq!(count(&world, "roll_ups").await, 50);
    sweep(&world).await.unwrap();
    assert_eq!(count(&world, "roll_ups where period = 'hour'").await, 24);
    assert_eq!(count(&world, "roll_ups where period = 'day'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_fails_stops_no_other() {
    let world = World::only_api().await;
    let (_, kept, insert) = ROWS[4];
    run(&world, insert, kept.as_secs_f64() + DAY).await;
    world
        .force("alter table workers rename to workers_away")
        .await;
    let failed = sweep(&world).await;
    assert!(failed.unwrap_err().to_string().contains("workers"));
    assert_eq!(count(&world, "quotes").await, 0);
}
