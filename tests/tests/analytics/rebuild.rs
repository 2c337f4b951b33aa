//! Rebuilds: they change nothing that was right, whoever else counts, and whoever is killed.

use chrono::{TimeDelta, Utc};
use common::analytics::{self, Period, PeriodRange, Rebuild};
use common::config::RetentionConfig;
use common::ids::{QuoteId, UserId};
use futures::future::join_all;
use serde_json::json;
use sqlx::Connection as _;
use tests::sample::Expected;
use tests::{World, eventually};

use super::fixture::{buy, hour_of, publish, roll_up, total, world};

async fn request(world: &World) -> u64 {
    let now = Utc::now();
    let days = Rebuild::new(now - TimeDelta::days(4), now, now).unwrap();
    analytics::rebuild(&world.pool, &days).await.unwrap()
}

async fn waiting(world: &World) -> i64 {
    analytics::count_waiting_hours(&world.pool).await.unwrap()
}

/// A sale three days ago: its seller.
async fn old_sale(world: &World) -> UserId {
    let seller = world.buyer("seller of it", 0).await;
    let buyer = world.buyer("buyer", 10_000).await;
    let package = publish(world, &seller, 1, Expected::Accepted)
        .await
        .unwrap();
    roll_up(world).await;
    buy(&buyer, &package).await;
    world
        .force("update purchases set settled_at = settled_at - interval '3 days'")
        .await;
    seller.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_counts_what_came_too_late_and_a_second_one_changes_nothing() {
    let world = world().await;
    let seller = old_sale(&world).await;
    roll_up(&world).await;
    assert_eq!(total(&world, Some(seller)).await.purchases, 0, "too late");
    let mut counted = Vec::new();
    for _ in 0..2 {
        assert!(request(&world).await > 96);
        roll_up(&world).await;
        assert_eq!(waiting(&world).await, 0);
        counted.push((total(&world, Some(seller)).await, total(&world, None).await));
    }
    assert_eq!(counted[0].0.purchases, 1);
    assert_eq!(counted[0], counted[1]);
    let then = Utc::now() - TimeDelta::days(3);
    assert_eq!(hour_of(&world, Some(seller), then).await.purchases, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuilds_at_once_while_facts_arrive_count_each_once() {
    let world = world().await;
    let seller = old_sale(&world).await;
    let buyers = join_all((0..4).map(async |number| {
        let name = format!("buyer {number}");
        world.buyer(&name, 10_000).await
    }))
    .await;
    let package: String = sqlx::query_scalar("select public_id from packages")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let rebuilding = join_all((0..4).map(async |_| {
        request(&world).await;
        roll_up(&world).await;
    }));
    let buying = join_all(buyers.iter().map(|buyer| buy(buyer, &package)));
    tokio::join!(rebuilding, buying);
    roll_up(&world).await;
    for account in [Some(seller), None] {
        assert_eq!(total(&world, account).await.purchases, 5);
    }
}

/// The connection dies between the hours and the day.
#[tokio::test(flavor = "multi_thread")]
async fn a_roll_up_that_is_killed_leaves_nothing_half_counted() {
    let world = world().await;
    let seller = old_sale(&world).await;
    request(&world).await;
    let before = total(&world, Some(seller)).await;
    let options = world.pool.connect_options();
    let mut other = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let mut hold = other.begin().await.unwrap();
    sqlx::query("select from roll_ups where period = 'day' for update")
        .execute(&mut *hold)
        .await
        .unwrap();
    let counting = analytics::roll_up(&world.pool, RetentionConfig::default());
    let killing = eventually("a roll-up that waits for a day", || async {
        let killed: Option<bool> = sqlx::query_scalar(
            "select pg_terminate_backend(pid)
             from pg_stat_activity
             where wait_event_type = 'Lock'
               and datname = current_database()
               and query like '%Recounts the day%'",
        )
        .fetch_optional(&world.pool)
        .await
        .unwrap();
        killed
    });
    let (counted, killed) = tokio::join!(counting, killing);
    assert!(killed);
    counted.expect_err("its connection was closed");
    hold.rollback().await.unwrap();
    assert_eq!(total(&world, Some(seller)).await, before);
    assert!(waiting(&world).await > 0, "still due");
    roll_up(&world).await;
    assert_eq!(total(&world, Some(seller)).await.purchases, 1);
}

/// Rows that retention has swept are no reason to count nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_any_more_stays_as_it_was_counted() {
    let world = world().await;
    let seller = world.buyer("seller of it", 0).await;
    let buyer = world.buyer("buyer", 0).await;
    publish(&world, &seller, 1, Expected::Accepted)
        .await
        .unwrap();
    sqlx::query(
        "insert into quotes (
             id, buyer_id, package_id, listing_version, price_minor, currency, package_sha256, w_matrix_sha256,
             token, expires_at, created_at
         )
         select $1, $2, id, 1, 100, 'USD', $3, $3, 'token', now() - interval '3 days', now() - interval '3 days'
         from packages",
    )
    .bind(QuoteId::new())
    .bind(buyer.id)
    .bind(vec![0_u8; 32])
    .execute(&world.pool)
    .await
    .unwrap();
    roll_up(&world).await;
    assert_eq!(total(&world, Some(seller.id)).await.quotes, 1);

    // Ten days later.
    world
        .force(
            "delete from quotes;
             update roll_ups set starts_at = starts_at - interval '10 days'",
        )
        .await;
    let now = Utc::now();
    let days = Rebuild::new(now - TimeDelta::days(16), now, now).unwrap();
    analytics::rebuild(&world.pool, &days).await.unwrap();
    roll_up(&world).await;
    let then = now - TimeDelta::days(13);
    let range = PeriodRange::new(
        Period::Hour,
        Some(then - TimeDelta::days(1)),
        Some(then + TimeDelta::days(1)),
        now,
    );
    let hours = analytics::list_periods(&world.pool, Some(seller.id), &range.unwrap()).await;
    let quotes: i64 = hours.unwrap().iter().map(|hour| hour.measures.quotes).sum();
    assert_eq!(quotes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_requests_a_rebuild_and_it_is_audited() {
    let mut world = world().await;
    let seller = old_sale(&world).await;
    let now = Utc::now();
    let days = json!({ "from": now - TimeDelta::days(4), "to": now });
    let path = "/admin/analytics/rebuild";
    let requested = world.operator.post(path, &days).await;
    assert_eq!(requested.status, 202, "{}", requested.text);
    assert!(requested.data()["hoursWaiting"].as_i64().unwrap() > 72);
    assert_eq!(requested.header("location"), path);
    world.start_scheduler().await;
    eventually("all hours to be counted", || async {
        let progress = world.operator.get(path).await.data();
        (progress["hoursWaiting"] == 0).then_some(())
    })
    .await;
    assert_eq!(total(&world, Some(seller)).await.purchases, 1);
    let log = world.operator.get("/admin/audit").await.data();
    let entry = &log["entries"][0];
    assert_eq!(entry["action"], "POST /admin/analytics/rebuild");
    assert_eq!(entry["status"], 202);

    for (from, to, fault) in [
        (now, now - TimeDelta::days(2), "must be before to"),
        (
            now + TimeDelta::days(2),
            now + TimeDelta::days(3),
            "in the past",
        ),
        (
            now - TimeDelta::days(500),
            now - TimeDelta::days(450),
            "are not kept",
        ),
        (now - TimeDelta::days(390), now, "at most 366 days"),
    ] {
        let refused = world
            .operator
            .post(path, &json!({ "from": from, "to": to }))
            .await;
        assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()));
        let details = refused.details();
        assert!(
            details["from"].as_str().unwrap().contains(fault),
            "{details}"
        );
    }
}
