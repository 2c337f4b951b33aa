//! What is answered, to whom, and for how long.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tests::sample::Expected;

use super::fixture::{buy, publish, refund, roll_up, world};

const OWN: &str = "/api/ai/analytics";

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_sees_its_own_sales_and_an_operator_those_of_anybody() {
    let world = world().await;
    let sellers = [world.buyer("one", 0).await, world.buyer("two", 0).await];
    let buyers = [
        world.buyer("ann", 10_000).await,
        world.buyer("bob", 10_000).await,
    ];
    let package = publish(&world, &sellers[0], 1, Expected::Accepted)
        .await
        .unwrap();
    publish(&world, &sellers[0], 2, Expected::Refused).await;
    buy(&buyers[0], &package).await;
    let returned = buy(&buyers[1], &package).await;
    refund(&buyers[1], &returned).await;
    roll_up(&world).await;

    let own = sellers[0].client.get(OWN).await.data();
    assert_eq!(
        (&own["period"], &own["currency"]),
        (&json!("day"), &json!("USD"))
    );
    assert_eq!(own["periods"].as_array().unwrap().len(), 30);
    let total = &own["total"];
    for (name, value) in [
        ("uploadsCompleted", json!(1)),
        ("uploadsFailed", json!(1)),
        ("uploadSuccessRate", json!(0.5)),
        ("purchases", json!(2)),
        ("revenueMinor", json!(450)),
        ("feesMinor", json!(68)),
        ("averagePriceMinor", json!(225)),
        ("refunds", json!(1)),
        ("refundedMinor", json!(225)),
        ("refundedFeesMinor", json!(34)),
        ("views", json!(0)),
        ("purchasesPerView", Value::Null),
    ] {
        assert_eq!(total[name], value, "{name}: {total}");
    }
    let today = own["periods"].as_array().unwrap().last().unwrap();
    assert_eq!(today["buyers"], 2);
    assert!(today["countedAt"].is_string(), "{today}");

    let other = sellers[1].client.get(OWN).await.data();
    assert_eq!(other["total"]["purchases"], 0);
    assert_eq!(other["total"]["averagePriceMinor"], Value::Null);
    let of_the_other = format!("{OWN}?userId={}", sellers[0].id);
    assert_eq!(sellers[1].client.get(&of_the_other).await.status, 400);
    assert_eq!(world.anonymous.get(OWN).await.status, 401);

    let of_one = format!("/admin/analytics?userId={}", sellers[0].id);
    assert_eq!(
        world.operator.get(&of_one).await.data()["total"],
        own["total"]
    );
    let market = world.operator.get("/admin/analytics").await.data();
    assert_eq!(market["total"]["purchases"], 2);
    assert_eq!(sellers[0].client.get("/admin/analytics").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_of_whole_periods_and_bounded() {
    let world = world().await;
    let now = Utc::now();
    let days = |count| shown(now - TimeDelta::days(count));
    for (query, periods) in [
        ("period=hour".to_owned(), 24),
        ("period=day".to_owned(), 30),
        (format!("from={}&to={}", days(3), days(3)), 1),
        (
            format!("period=hour&from={}&to={}", days(30), shown(now)),
            720,
        ),
    ] {
        let data = world.seller.get(&format!("{OWN}?{query}")).await.data();
        let count = data["periods"].as_array().unwrap().len();
        // An hour or a day may have begun since.
        assert!((periods..=periods + 1).contains(&count), "{query}: {count}");
        assert_eq!(data["periods"][0]["startsAt"], data["from"]);
    }
    for (query, name, fault) in [
        (
            format!("from={}&to={}", days(3), days(5)),
            "from",
            "must be before to",
        ),
        (format!("from={}", days(-3)), "from", "in the past"),
        (format!("from={}", days(400)), "from", "at most 366 days"),
        (
            format!("period=hour&from={}", days(32)),
            "from",
            "at most 744 hours",
        ),
        ("period=week".to_owned(), "period", "must be hour or day"),
        ("from=yesterday".to_owned(), "from", "RFC 3339"),
    ] {
        for (client, path) in [(&world.seller, OWN), (&world.operator, "/admin/analytics")] {
            let answer = client.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{query}");
            let details = answer.details();
            assert!(details[name].as_str().unwrap().contains(fault), "{details}");
        }
    }
}

/// What is over does not change but by a late fact, so it is read once an hour; the present is read each time.
#[tokio::test(flavor = "multi_thread")]
async fn periods_that_are_over_and_counted_are_kept_and_others_are_not() {
    let world = world().await;
    let now = Utc::now();
    let past = format!(
        "{OWN}?period=hour&from={}&to={}",
        shown(now - TimeDelta::hours(9)),
        shown(now - TimeDelta::hours(5))
    );
    let views = async |path: &str| {
        let data = world.seller.get(path).await.data();
        data["total"]["views"].as_i64().unwrap()
    };
    let set = async |count: i64| {
        sqlx::query(
            "insert into roll_ups as known (account_id, period, starts_at, views)
             select id, 'hour', date_trunc('hour', now() - hours * interval '1 hour', 'UTC'), $1
             from users, (values (0), (7)) as ago (hours)
             where name = 'seller'
             on conflict (account_id, period, starts_at) do update
             set views = excluded.views",
        )
        .bind(count)
        .execute(&world.pool)
        .await
        .unwrap();
    };
    set(1).await;
    assert_eq!(views(&past).await, 1);
    set(2).await;
    assert_eq!(views(&past).await, 2, "not counted yet, so not kept");
    roll_up(&world).await;
    assert_eq!(views(&past).await, 0, "counted: there was no view");
    set(3).await;
    assert_eq!(views(&past).await, 0, "kept");
    let present = format!("{OWN}?period=hour");
    assert_eq!(views(&present).await, 6);
    set(4).await;
    assert_eq!(views(&present).await, 8);
    let again = world.operator.get("/admin/analytics?period=hour").await;
    assert_eq!(again.header("cache-control"), "private, no-cache");
}
