//! The log: attempts with their phases, sending again, forgetting.

use axum::http::StatusCode;
use local::receiver::Reply;
use serde_json::{Value, json};
use tests::World;

use super::ground::{
    arrived, arrives, becomes, fail_uploads, hurries_to, id_of, path_of, register,
};

const LOG: &str = "/api/ai/webhooks/deliveries";

async fn only_delivery(world: &World) -> Value {
    let log = world.seller.get(LOG).await.data();
    let rows = log["deliveries"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{log}");
    rows[0].clone()
}

fn path(delivery: &Value) -> String {
    format!("{LOG}/{}", delivery["deliveryId"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_shows_each_attempt_with_its_phases_and_the_answer() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    fail_uploads(&world, 1).await;
    arrives(&world, "/hooks", |_| true).await;
    becomes(&world, "select exists (select from webhook_attempts)").await;
    world.receiver.set_reply_at("/hooks", Reply::default());
    hurries_to(
        &world,
        "select exists (select from webhook_deliveries where state = 'delivered')",
    )
    .await;
    let delivery = only_delivery(&world).await;
    assert_eq!(delivery["endpointId"], id_of(&endpoint));
    let shown = world.seller.get(&path(&delivery)).await;
    assert!(!shown.header("etag").is_empty());
    let shown = shown.data();
    assert_eq!(shown["attempts"], 2);
    let (second, first) = (&shown["timeline"][0], &shown["timeline"][1]);
    assert_eq!(
        (&first["outcome"], &first["statusCode"]),
        (&json!("status"), &json!(502))
    );
    assert_eq!(
        (&second["outcome"], &second["statusCode"]),
        (&json!("delivered"), &json!(200))
    );
    for attempt in [first, second] {
        let ms = |phase: &str| attempt[phase].as_f64().unwrap_or_default();
        let phases = ms("resolveMs") + ms("connectMs") + ms("firstByteMs") + ms("bodyMs");
        assert!(ms("firstByteMs") > 0.0, "{attempt}");
        assert!(phases <= ms("durationMs") * 1.001 + 0.1, "{attempt}");
    }
    let stats = world
        .seller
        .get(&format!("{}/stats", path_of(&endpoint)))
        .await
        .data();
    assert_eq!(
        stats["deliveries"],
        json!([{ "status": "delivered", "count": 1 }])
    );
    assert_eq!(stats["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_filtered_and_paged() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 7).await;
    becomes(
        &world,
        "select count(*) = 7 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world
            .seller
            .get(&format!("{LOG}?limit=3{cursor}"))
            .await
            .data();
        seen.extend(page["deliveries"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by_key(|row| -row["sequence"].as_i64().unwrap()));
    for (query, count) in [
        ("status=delivered", 7),
        ("status=failed", 0),
        (
            "eventType=upload.failed&outcome=delivered&statusCode=200",
            7,
        ),
        ("eventType=upload.completed", 0),
        ("since=2020-01-01T00:00:00Z&until=2021-01-01T00:00:00Z", 0),
    ] {
        let page = world.seller.get(&format!("{LOG}?{query}")).await.data();
        assert_eq!(
            page["deliveries"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    for query in [
        "limit=0",
        "limit=51",
        "cursor=x",
        "status=lost",
        "endpointId=1",
        "sort=up",
    ] {
        assert_eq!(
            world.seller.get(&format!("{LOG}?{query}")).await.fault().0,
            400,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_resend_of_a_delivered_message_leaves_it_delivered() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 1).await;
    let first = arrives(&world, "/hooks", |_| true).await;
    becomes(
        &world,
        "select bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    let resend = format!("{}/resend", path(&only_delivery(&world).await));
    let answer = world.seller.post(&resend, &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let shown = answer.data();
    assert_eq!(
        (&shown["status"], &shown["attempts"]),
        (&json!("delivered"), &json!(2))
    );
    assert_eq!(shown["timeline"][0]["trigger"], "manual");
    assert_eq!(shown["timeline"][0]["statusCode"], 502);
    let second = arrives(&world, "/hooks", |it| it.number > first.number).await;
    assert_eq!(second.webhook_id, first.webhook_id);
    assert_eq!(second.text, first.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_endpoint_gets_nothing_by_hand_and_a_forgotten_payload_goes_nowhere() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 2).await;
    becomes(
        &world,
        "select count(*) = 2 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let log = world.seller.get(LOG).await.data();
    let (one, other) = (&log["deliveries"][0], &log["deliveries"][1]);
    let event = format!(
        "/api/ai/webhooks/events/{}",
        one["eventId"].as_str().unwrap()
    );
    assert_eq!(
        world
            .seller
            .delete(&format!("{event}/payload"))
            .await
            .status,
        204
    );
    assert_eq!(
        world.seller.get(&event).await.data()["payload"],
        json!(null)
    );
    let gone = world
        .seller
        .post(&format!("{}/resend", path(one)), &json!({}))
        .await;
    assert_eq!(gone.details()["reason"], "EXPUNGED");
    let all = world
        .seller
        .delete("/api/ai/webhooks/payloads")
        .await
        .data();
    assert_eq!(all["expunged"], 1);
    assert_eq!(world.count("select count(*) from webhook_bodies").await, 0);
    world
        .seller
        .post(&format!("{}/disable", path_of(&endpoint)), &json!({}))
        .await
        .data();
    let off = world
        .seller
        .post(&format!("{}/resend", path(other)), &json!({}))
        .await;
    assert_eq!(off.details()["reason"], "DISABLED");
    assert_eq!(arrived(&world, "/hooks").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_bodies_and_attempts_are_dropped_by_the_day() {
    let world = World::without_worker().await;
    register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 1).await;
    let pool = &world.pool;
    assert_eq!(common::webhooks::retain(pool, 30, 90).await.unwrap(), 0);
    assert_eq!(world.count("select count(*) from webhook_bodies").await, 1);
    // As if two days had passed for an installation that keeps bodies for one.
    let options = pool.connect_options();
    let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect_with(&options)
        .await
        .unwrap();
    for sql in [
        "create table webhook_bodies_20200101 partition of webhook_bodies for values from ('2020-01-01') to ('2020-01-02')",
        "update webhook_events set body_day = '2020-01-01', occurred_at = '2020-01-01'",
        "update webhook_bodies set day = '2020-01-01'",
        "update webhook_deliveries set state = 'failed', finished_at = '2020-01-09'",
    ] {
        sqlx::query(sql).execute(&mut owner).await.unwrap();
    }
    assert_eq!(common::webhooks::retain(pool, 30, 90).await.unwrap(), 2);
    for table in ["webhook_bodies", "webhook_events", "webhook_deliveries"] {
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
                .fetch_one(pool)
                .await
                .unwrap();
        assert_eq!(count, 0, "{table}");
    }
}
