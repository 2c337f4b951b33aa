//! Recoveries: what failed, and what was never subscribed to; none is skipped, and none is sent twice.

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use local::receiver::Reply;
use serde_json::{Value, json};
use tests::World;

use super::ground::{arrived, becomes, fail_uploads, hurries_to, id_of, path_of, register};

async fn recover(world: &World, endpoint: &Value, mode: &str) -> Value {
    let since = Utc::now() - TimeDelta::hours(1);
    let path = format!("{}/recover", path_of(endpoint));
    let answer = world
        .seller
        .post(&path, &json!({ "mode": mode, "since": since }))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.data()
}

async fn ended(world: &World, recovery: &Value) -> Value {
    let path = format!(
        "/api/ai/webhooks/recoveries/{}",
        recovery["recoveryId"].as_str().unwrap()
    );
    let request = world
        .seller
        .request(common::reqwest::Method::GET, &path)
        .header("prefer", "wait=30");
    tests::client::send(request).await.data()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sent_again_once() {
    let world = World::start().await;
    let endpoint = register(
        &world,
        "/hooks",
        json!({ "stopOnClientError": true, "eventTypes": ["upload.*"] }),
    )
    .await;
    let nothing = Reply::of(StatusCode::NOT_FOUND);
    world.receiver.set_reply_at("/hooks", nothing);
    fail_uploads(&world, 9).await;
    hurries_to(
        &world,
        "select count(*) = 9 from webhook_deliveries where state = 'failed'",
    )
    .await;
    world.receiver.set_reply_at("/hooks", Reply::default());
    sqlx::query("delete from webhook_health")
        .execute(&world.pool)
        .await
        .unwrap();
    let before = arrived(&world, "/hooks").len();
    let recovery = recover(&world, &endpoint, "failed").await;
    assert_eq!(recovery["total"], 9);
    let recovery = ended(&world, &recovery).await;
    assert_eq!(
        (&recovery["status"], &recovery["queued"]),
        (&json!("done"), &json!(9))
    );
    hurries_to(
        &world,
        "select count(*) = 9 from webhook_deliveries where state = 'delivered'",
    )
    .await;
    let again: Vec<_> = arrived(&world, "/hooks").split_off(before);
    assert_eq!(again.len(), 9);
    let mut ids: Vec<_> = again.iter().map(|it| &it.webhook_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_subscribes_later_hears_what_it_missed() {
    let world = World::start().await;
    register(&world, "/first", json!({})).await;
    fail_uploads(&world, 5).await;
    let late = register(&world, "/late", json!({ "eventTypes": ["upload.failed"] })).await;
    fail_uploads(&world, 1).await;
    let recovery = recover(&world, &late, "missing").await;
    let recovery = ended(&world, &recovery).await;
    assert_eq!(
        (&recovery["total"], &recovery["queued"]),
        (&json!(5), &json!(5))
    );
    hurries_to(
        &world,
        "select count(*) = 12 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    assert_eq!(arrived(&world, "/late").len(), 6);
    let twice = recover(&world, &late, "missing").await;
    assert_eq!(twice["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_of_thousands_skips_none_and_spares_the_endpoint() {
    let world = World::without_worker().await;
    let endpoint = register(&world, "/hooks", json!({ "eventTypes": ["upload.*"] })).await;
    fail_uploads(&world, 1).await;
    let many = "with event as (
                    insert into webhook_events (id, owner_id, subject, event_type, dedupe, trace)
                    select gen_random_uuid(), owner_id, gen_random_uuid(), event_type, number::text, trace
                    from webhook_events, generate_series(1, 2499) as number
                    returning *
                )
                insert into webhook_deliveries (id, event_id, endpoint_id, owner_id, event_type, subject, sequence, state, finished_at)
                select gen_random_uuid(), event.id, endpoint.id, event.owner_id, event.event_type, event.subject, event.sequence, 'failed', now()
                from event, webhook_endpoints as endpoint";
    sqlx::query(many).execute(&world.pool).await.unwrap();
    sqlx::query("update webhook_deliveries set state = 'failed', finished_at = coalesce(finished_at, now())")
        .execute(&world.pool)
        .await
        .unwrap();
    let recovery = recover(&world, &endpoint, "failed").await;
    assert_eq!(recovery["total"], 2500);
    let mut world = world;
    world.start_worker().await;
    let recovery = ended(&world, &recovery).await;
    assert_eq!(
        (&recovery["status"], &recovery["queued"]),
        (&json!("done"), &json!(2500))
    );
    // At a fifth of 50 per second they take 250 seconds, and longer if the batches come late.
    let spread = "select extract(epoch from max(accepted_at) - min(accepted_at))::bigint from webhook_deliveries";
    assert!(world.count(spread).await >= 249);
    assert_eq!(
        world
            .count("select count(*) from webhook_deliveries where recovery_id is null")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_recovery_takes_back_what_is_not_sent() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({ "ratePerSecond": 1 })).await;
    fail_uploads(&world, 1).await;
    becomes(
        &world,
        "select bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let failed = "update webhook_deliveries set state = 'failed'";
    sqlx::query(failed).execute(&world.pool).await.unwrap();
    let path = format!("{}/recover", path_of(&endpoint));
    let bad = json!({ "since": Utc::now() - TimeDelta::days(31) });
    assert_eq!(world.seller.post(&path, &bad).await.fault().0, 400);
    let recovery = recover(&world, &endpoint, "failed").await;
    let cancel = format!(
        "/api/ai/webhooks/recoveries/{}/cancel",
        recovery["recoveryId"].as_str().unwrap()
    );
    let cancelled = world.seller.post(&cancel, &json!({})).await;
    // Whichever came first, the log and the recovery agree.
    let log = format!(
        "/api/ai/webhooks/deliveries?endpointId={}&limit=1",
        id_of(&endpoint)
    );
    match cancelled.status {
        200 => {
            assert_eq!(cancelled.data()["status"], "cancelled");
            let row = world.seller.get(&log).await.data();
            assert!(
                ["failed", "delivered", "pending"]
                    .contains(&row["deliveries"][0]["status"].as_str().unwrap())
            );
        }
        _ => assert_eq!(cancelled.details()["reason"], "ENDED"),
    }
    let again = world.seller.post(&cancel, &json!({})).await;
    assert_eq!(again.details()["reason"], "ENDED");
}
