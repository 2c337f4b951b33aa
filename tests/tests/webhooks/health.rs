//! What failure does to an endpoint: holds, the breaker, disabling, and coming back.

use std::time::Duration;

use axum::http::StatusCode;
use local::receiver::Reply;
use serde_json::json;
use tests::World;

use super::ground::{
    arrived, arrives, becomes, fail_uploads, hurries_to, hurry, path_of, register,
};

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_holds_the_endpoint_and_costs_no_try() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    let busy = Reply::of(StatusCode::TOO_MANY_REQUESTS).with("retry-after", 7200);
    world.receiver.set_reply_at("/hooks", busy);
    fail_uploads(&world, 1).await;
    arrives(&world, "/hooks", |_| true).await;
    becomes(&world, "select exists (select from jobs where name = 'deliver_webhook' and rests_until > now() + interval '1 hour')").await;
    let held = "select count(*) from webhook_deliveries where tries = 0 and holds = 1 and state = 'pending'";
    assert_eq!(world.count(held).await, 1);
    // New events wait with it: nobody asks a receiver that asked for time.
    fail_uploads(&world, 3).await;
    becomes(
        &world,
        "select count(*) = 4 from webhook_deliveries where state = 'pending'",
    )
    .await;
    assert_eq!(arrived(&world, "/hooks").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_410_disable_an_endpoint_and_its_events_are_held_until_it_is_enabled() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    register(&world, "/other", json!({ "eventTypes": ["endpoint.*"] })).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::GONE));
    fail_uploads(&world, 1).await;
    arrives(&world, "/hooks", |_| true).await;
    becomes(
        &world,
        "select exists (select from webhook_health where memory->>'gone_at' is not null)",
    )
    .await;
    // As if a minute had passed.
    let earlier = "update webhook_health set memory = jsonb_set(memory, '{gone_at}', to_jsonb((now() - interval '2 minutes')::text::timestamptz))";
    sqlx::query(earlier).execute(&world.pool).await.unwrap();
    hurries_to(
        &world,
        "select exists (select from webhook_endpoints where state = 'disabled')",
    )
    .await;
    let news = arrives(&world, "/other", |_| true).await;
    assert_eq!(news.body["type"], "endpoint.disabled");
    assert_eq!(news.body["data"]["by"], "receiver");
    let path = path_of(&endpoint);
    let shown = world.seller.get(&path).await.data();
    assert_eq!(shown["status"], "disabled");
    assert_eq!(
        shown["disabledReason"],
        "the receiver answered 410 Gone twice"
    );

    fail_uploads(&world, 3).await;
    let held = world
        .seller
        .get("/api/ai/webhooks/deliveries?status=held")
        .await
        .data();
    // The three, the first one, and the news of its own end.
    assert_eq!(held["deliveries"].as_array().unwrap().len(), 5);
    let before = arrived(&world, "/hooks").len();
    world.receiver.set_reply_at("/hooks", Reply::default());
    let enabled = world
        .seller
        .post(&format!("{path}/enable"), &json!({}))
        .await
        .data();
    assert_eq!(enabled["status"], "enabled");
    hurries_to(
        &world,
        "select not exists (select from webhook_deliveries where state <> 'delivered')",
    )
    .await;
    assert_eq!(arrived(&world, "/hooks").len(), before + 6);
    let recovery = enabled["recoveryUrl"].as_str().unwrap();
    let recovery = world.seller.get(recovery).await.data();
    assert_eq!(
        (&recovery["status"], &recovery["delivered"]),
        (&json!("done"), &json!(5))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_can_end_a_message_or_all_of_them_with_one_word() {
    let world = World::start().await;
    register(&world, "/one", json!({})).await;
    register(&world, "/all", json!({})).await;
    let refused = Reply::of(StatusCode::INTERNAL_SERVER_ERROR);
    let abort = refused.clone().with("webhook-delivery", "abort-message");
    world.receiver.set_reply_at("/one", abort);
    world
        .receiver
        .set_reply_at("/all", refused.with("webhook-delivery", "disable"));
    fail_uploads(&world, 1).await;
    becomes(&world, "select exists (select from webhook_deliveries as d join webhook_endpoints as e on e.id = endpoint_id where url like '%/one' and d.state = 'failed')").await;
    becomes(&world, "select exists (select from webhook_endpoints where url like '%/all' and state = 'disabled')").await;
    let held = "select count(*) from webhook_deliveries where state = 'held' and event_type = 'upload.failed'";
    assert_eq!(world.count(held).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn held_events_can_be_dropped() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    let path = path_of(&endpoint);
    world
        .seller
        .post(&format!("{path}/disable"), &json!({ "reason": "a pause" }))
        .await
        .data();
    let twice = world
        .seller
        .post(&format!("{path}/disable"), &json!({}))
        .await;
    assert_eq!(twice.details()["reason"], "DISABLED");
    fail_uploads(&world, 3).await;
    let drop = json!({ "held": "drop" });
    let enabled = world
        .seller
        .post(&format!("{path}/enable"), &drop)
        .await
        .data();
    assert_eq!(enabled["recoveryId"], json!(null));
    let again = world.seller.post(&format!("{path}/enable"), &drop).await;
    assert_eq!(again.details()["reason"], "ENABLED");
    fail_uploads(&world, 1).await;
    arrives(&world, "/hooks", |it| {
        it.event.as_deref() == Some("upload.failed")
    })
    .await;
    // Besides the new event only the news that it is enabled.
    becomes(
        &world,
        "select count(*) = 2 from webhook_deliveries where state = 'delivered'",
    )
    .await;
    let dropped = "select count(*) from webhook_deliveries where state = 'discarded'";
    assert_eq!(world.count(dropped).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_opens_rests_probes_and_closes() {
    let world = World::start().await;
    register(&world, "/hooks", json!({})).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    fail_uploads(&world, 30).await;
    let opened =
        "select exists (select from webhook_health where memory->'breaker'->>'state' = 'open')";
    becomes(&world, opened).await;
    let tried = arrived(&world, "/hooks").len();
    assert!((10..30).contains(&tried), "{tried} tries before it opened");
    let untouched = "select count(*) from webhook_deliveries where attempts = 0";
    assert_eq!(
        world.count(untouched).await,
        30 - i64::try_from(tried).unwrap()
    );
    world.receiver.set_reply_at("/hooks", Reply::default());
    // As if its rest were over.
    let over = "update webhook_health set memory = jsonb_set(memory, '{breaker,until}', to_jsonb(now() - interval '1 second'))";
    sqlx::query(over).execute(&world.pool).await.unwrap();
    hurry(&world).await;
    becomes(
        &world,
        "select count(*) >= 4 from webhook_deliveries where state = 'delivered'",
    )
    .await;
    // A slow start: seconds lie between the sends that follow.
    hurries_to(
        &world,
        "select count(*) >= 12 from webhook_deliveries where state = 'delivered'",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_sent_at_the_endpoints_rate() {
    let world = World::start().await;
    register(
        &world,
        "/hooks",
        json!({ "ratePerSecond": 10, "eventTypes": ["upload.*"] }),
    )
    .await;
    fail_uploads(&world, 60).await;
    becomes(
        &world,
        "select count(*) = 60 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let times: Vec<_> = arrived(&world, "/hooks")
        .iter()
        .map(|it| it.received_at)
        .collect();
    // A burst of twenty, and then ten per second; without a rate it were some milliseconds. (How exact
    // the rate is, its own tests say.)
    let whole = *times.last().unwrap() - times[0];
    assert!(whole >= chrono::TimeDelta::seconds(2), "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_endpoints_of_one_tenant_do_not_hold_up_another() {
    let world = World::start().await;
    for number in 0..20 {
        let path = format!("/dead/{number}");
        register(
            &world,
            &path,
            json!({ "eventTypes": ["upload.failed"], "timeoutSeconds": 30 }),
        )
        .await;
        let hangs = Reply::default().after(Duration::from_secs(25));
        world.receiver.set_reply_at(&path, hangs);
    }
    register(&world, "/alive", json!({ "eventTypes": ["upload.failed"] })).await;
    fail_uploads(&world, 10).await;
    arrives(&world, "/alive", |it| {
        it.upload_id.as_deref() == Some("upload_9")
    })
    .await;
    becomes(
        &world,
        "select count(*) = 10 from webhook_deliveries where state = 'delivered'",
    )
    .await;
    // An endpoint that has not answered yet has two requests to hang.
    for number in 0..20 {
        assert!(arrived(&world, &format!("/dead/{number}")).len() <= 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_hears_of_a_failure_that_lasts_and_of_its_end() {
    let world = World::start().await;
    register(&world, "/hooks", json!({ "eventTypes": ["upload.*"] })).await;
    register(&world, "/other", json!({ "eventTypes": ["endpoint.*"] })).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    fail_uploads(&world, 1).await;
    becomes(
        &world,
        "select exists (select from webhook_health where failing_since is not null)",
    )
    .await;
    // As if it had failed for two hours.
    let earlier = "update webhook_health set memory = jsonb_set(memory, '{failing_since}', to_jsonb(now() - interval '2 hours')) where failing_since is not null";
    sqlx::query(earlier).execute(&world.pool).await.unwrap();
    hurry(&world).await;
    let warning = arrives(&world, "/other", |it| it.body["type"] == "endpoint.failing").await;
    assert_eq!(warning.body["data"]["hours"], 1);
    world.receiver.set_reply_at("/hooks", Reply::default());
    hurries_to(
        &world,
        "select bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
    let end = arrives(&world, "/other", |it| {
        it.body["type"] == "endpoint.recovered"
    })
    .await;
    assert_eq!(
        end.body["data"]["failingSince"],
        warning.body["data"]["failingSince"]
    );
    assert_eq!(arrived(&world, "/other").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_hears_of_a_delivery_that_was_given_up() {
    let world = World::start().await;
    let plan = json!({ "plan": "custom", "planSeconds": [1], "eventTypes": ["upload.*"] });
    register(&world, "/hooks", plan).await;
    register(&world, "/other", json!({ "eventTypes": ["delivery.*"] })).await;
    world
        .receiver
        .set_reply_at("/hooks", Reply::of(StatusCode::BAD_GATEWAY));
    fail_uploads(&world, 1).await;
    let news = arrives(&world, "/other", |_| true).await;
    let data = &news.body["data"];
    assert_eq!(news.body["type"], "delivery.exhausted");
    assert_eq!(
        (&data["attempts"], &data["lastStatus"]),
        (&json!(2), &json!(502))
    );
    assert_eq!(data["eventType"], "upload.failed");
    assert_eq!(arrived(&world, "/hooks").len(), 2);
}
