//! Endpoints: what they hear, how, and what is refused.

use common::reqwest::Method;
use common::webhooks::EventType;
use local::receiver::{Reply, Signature};
use serde_json::json;
use tests::World;
use tests::client::send;
use uuid::Uuid;

use super::ground::{ENDPOINTS, arrived, arrives, fail_uploads, happens, id_of, path_of, register};

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_endpoint_hears_in_an_envelope_with_every_header() {
    let world = World::start().await;
    let headers = json!({ "Authorization": "Bearer of-the-receiver" });
    register(&world, "/hooks", json!({ "headers": headers })).await;
    fail_uploads(&world, 1).await;
    let heard = arrives(&world, "/hooks", |_| true).await;
    assert_eq!(heard.body["type"], "upload.failed");
    assert_eq!(heard.body["apiVersion"], "v1");
    assert_eq!(heard.body["id"].as_str(), heard.webhook_id.as_deref());
    assert_eq!(heard.body["data"]["event"], "upload.failed");
    assert_eq!(heard.standard_signature, Signature::Valid);
    assert_eq!(heard.awareness_signature, Signature::Valid);
    assert_eq!(heard.headers["authorization"], "Bearer of-the-receiver");
    assert_eq!(heard.headers["x-awareness-event"], "upload.failed");
    assert_eq!(heard.headers["x-awareness-attempt"], "1");
    assert_eq!(
        heard.headers["x-awareness-sequence"],
        heard.body["sequence"].to_string()
    );
    assert!(heard.headers["x-awareness-delivery"].starts_with("whd_"));
    let user_agent = &heard.headers["user-agent"];
    assert!(
        user_agent.starts_with("Awareness-Webhooks/"),
        "{user_agent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_payload_modes_decide_who_hears_what() {
    let world = World::start().await;
    register(
        &world,
        "/uploads",
        json!({ "eventTypes": ["upload.*"], "payload": "plain" }),
    )
    .await;
    register(&world, "/all", json!({ "payload": "thin" })).await;
    register(
        &world,
        "/sales",
        json!({ "eventTypes": ["purchase.completed"] }),
    )
    .await;
    let subject = Uuid::new_v4();
    happens(&world, EventType::UploadFailed, subject, 1).await;
    happens(&world, EventType::PurchaseCompleted, subject, 2).await;
    let plain = arrives(&world, "/uploads", |_| true).await;
    assert!(
        plain.text.starts_with(r#"{"event":"upload.failed""#),
        "{}",
        plain.text
    );
    let sale = arrives(&world, "/sales", |_| true).await;
    assert_eq!(sale.body["type"], "purchase.completed");
    let thin = arrives(&world, "/all", |it| it.body["type"] == "upload.failed").await;
    let url = thin.body["data"]["url"].as_str().unwrap();
    let path = url.strip_prefix(tests::world::PUBLIC_BASE_URL).unwrap();
    let event = world.seller.get(path).await.data();
    assert_eq!(event["payload"]["uploadId"], "upload_1");
    arrives(&world, "/all", |it| it.body["type"] == "purchase.completed").await;
    assert_eq!(arrived(&world, "/uploads").len(), 1);
    assert_eq!(arrived(&world, "/sales").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_takes_effect_and_needs_the_version_that_was_seen() {
    let world = World::start().await;
    let endpoint = register(&world, "/before", json!({})).await;
    let path = path_of(&endpoint);
    let patch = |tag: Option<&str>, body: serde_json::Value| {
        let request = world.seller.request(Method::PATCH, &path).json(&body);
        match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        }
    };
    let after = json!({ "url": format!("{}/after", world.receiver.url()) });
    assert_eq!(send(patch(None, after.clone())).await.fault().0, 428);
    let stale = send(patch(Some("\"7\""), after.clone())).await;
    assert_eq!(stale.fault(), (412, "PRECONDITION_FAILED".to_owned()));
    assert_eq!(stale.details()["version"], 1);
    let changed = send(patch(Some("\"1\""), after)).await;
    assert_eq!((changed.status, changed.row_tag().as_str()), (200, "\"2\""));
    fail_uploads(&world, 1).await;
    arrives(&world, "/after", |_| true).await;
    assert!(arrived(&world, "/before").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_by_field_and_all_at_once() {
    let world = World::only_api().await;
    let request = json!({
        "url": "http://10.0.0.1/hooks",
        "eventTypes": ["no such thing"],
        "plan": "custom",
        "planSeconds": [0],
        "ratePerSecond": 0,
        "concurrency": 65,
        "timeoutSeconds": 4,
        "headers": { "Host": "elsewhere" },
        "description": "x".repeat(501),
    });
    let refused = world.seller.post(ENDPOINTS, &request).await;
    assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()));
    let details = refused.details();
    for field in [
        "url",
        "eventTypes",
        "plan",
        "ratePerSecond",
        "concurrency",
        "timeoutSeconds",
        "headers",
        "description",
    ] {
        assert!(details[field].is_string(), "{field}: {details}");
    }
    for (body, field) in [
        (json!({}), "url"),
        (
            json!({ "url": "https://example.com", "secret": "whsec_c2hvcnQ=" }),
            "secret",
        ),
        (
            json!({ "url": "https://example.com", "signingKeyId": Uuid::new_v4() }),
            "signingKeyId",
        ),
    ] {
        let refused = world.seller.post(ENDPOINTS, &body).await;
        assert_eq!(refused.fault().0, 400, "{body}");
        assert!(
            refused.details()[field].is_string(),
            "{body}: {}",
            refused.text
        );
    }
    assert_eq!(
        world.count("select count(*) from webhook_endpoints").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_registers_once_and_fifty_are_enough() {
    let world = World::only_api().await;
    let body = json!({ "url": "https://example.com/hooks" });
    let once = || {
        let request = world.seller.request(Method::POST, ENDPOINTS).json(&body);
        send(request.header("idempotency-key", "one"))
    };
    let (first, again) = (once().await.data(), once().await.data());
    assert_eq!(first["endpointId"], again["endpointId"]);
    assert!(first["secret"].is_string() && again["secret"].is_null());
    let other = world.seller.request(Method::POST, ENDPOINTS);
    let other = other.json(&json!({ "url": "https://example.com/other" }));
    let conflict = send(other.header("idempotency-key", "one")).await;
    assert_eq!(conflict.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    for _ in 1..50 {
        assert_eq!(world.seller.post(ENDPOINTS, &body).await.status, 201);
    }
    let full = world.seller.post(ENDPOINTS, &body).await;
    assert_eq!(full.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(full.details()["reason"], "TOO_MANY");
    let page = world
        .seller
        .get(&format!("{ENDPOINTS}?limit=50"))
        .await
        .data();
    assert_eq!(page["endpoints"].as_array().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_so_answers_what_the_receiver_said_and_raises_no_alarm() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    let test = format!("{}/test", path_of(&endpoint));
    let tried = world
        .seller
        .post(&test, &json!({ "eventType": "purchase.refunded" }))
        .await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    let tried = tried.data();
    assert_eq!(
        (&tried["status"], &tried["trigger"]),
        (&json!("delivered"), &json!("plan"))
    );
    assert_eq!(tried["timeline"][0]["trigger"], "test");
    assert_eq!(tried["timeline"][0]["statusCode"], 200);
    let heard = arrives(&world, "/hooks", |_| true).await;
    let mut expected = EventType::PurchaseRefunded.example_body().clone();
    expected["test"] = true.into();
    assert_eq!(heard.body["data"], expected);
    let reply = Reply::of(axum::http::StatusCode::IM_A_TEAPOT);
    world.receiver.set_reply_at("/hooks", reply);
    let refused = world.seller.post(&test, &json!({})).await.data();
    assert_eq!(refused["status"], "failed");
    assert_eq!(refused["timeline"][0]["statusCode"], 418);
    assert_eq!(refused["timeline"][0]["trigger"], "test");
    assert_eq!(refused["eventType"], "endpoint.test");
    let alarms = "select count(*) from webhook_events where event_type = 'delivery.exhausted'";
    let alarms: i64 = sqlx::query_scalar(alarms)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(alarms, 0);
    let unknown = world
        .seller
        .post(&test, &json!({ "eventType": "sun.rises" }))
        .await;
    assert_eq!(unknown.fault(), (400, "INVALID_INPUT".to_owned()));
    let disabled = format!("{}/disable", path_of(&endpoint));
    assert_eq!(world.seller.post(&disabled, &json!({})).await.status, 200);
    let off = world.seller.post(&test, &json!({})).await;
    assert_eq!(off.fault(), (409, "CONFLICT".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_can_be_tested() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({ "payload": "plain" })).await;
    let test = format!("{}/test", path_of(&endpoint));
    let types = world
        .seller
        .get("/api/ai/webhooks/event-types")
        .await
        .data();
    for listed in types["eventTypes"].as_array().unwrap() {
        let tried = world
            .seller
            .post(&test, &json!({ "eventType": listed["eventType"] }))
            .await;
        assert_eq!(tried.data()["status"], "delivered", "{listed}");
        let heard = arrives(&world, "/hooks", |it| {
            it.event.as_deref() == listed["eventType"].as_str()
        });
        let mut expected = listed["example"].clone();
        expected["test"] = true.into();
        assert_eq!(heard.await.body, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_endpoint_hears_nothing_more() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    let reply = Reply::of(axum::http::StatusCode::BAD_GATEWAY);
    world.receiver.set_reply_at("/hooks", reply);
    fail_uploads(&world, 1).await;
    arrives(&world, "/hooks", |_| true).await;
    let path = path_of(&endpoint);
    assert_eq!(world.seller.delete(&path).await.status, 204);
    assert_eq!(world.seller.get(&path).await.fault().0, 404);
    super::ground::becomes(
        &world,
        "select bool_and(state = 'discarded') from webhook_deliveries",
    )
    .await;
    let log = format!(
        "/api/ai/webhooks/deliveries?endpointId={}",
        id_of(&endpoint)
    );
    let log = world.seller.get(&log).await.data();
    assert_eq!(log["deliveries"][0]["status"], "discarded");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_request_is_an_endpoint_of_its_own_kind() {
    let world = World::start().await;
    let url = world.webhook_url();
    let subject = Uuid::new_v4();
    for number in 0..2 {
        super::ground::happens_at(&world, EventType::UploadFailed, subject, number, Some(&url))
            .await;
    }
    happens(&world, EventType::UploadFailed, subject, 3).await;
    arrives(&world, "/webhook", |it| {
        it.upload_id.as_deref() == Some("upload_1")
    })
    .await;
    let listed = world
        .seller
        .get(&format!("{ENDPOINTS}?source=request"))
        .await
        .data();
    let listed = listed["endpoints"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["url"], &listed[0]["payload"]),
        (&json!(url), &json!("plain"))
    );
    // It hears of what named it, and of nothing else.
    assert_eq!(arrived(&world, "/webhook").len(), 2);
    let registered = world.seller.get(ENDPOINTS).await.data();
    assert_eq!(registered["endpoints"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_endpoint_hears_nothing_of_what_was_already_claimed() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({ "ratePerSecond": 1 })).await;
    fail_uploads(&world, 20).await;
    arrives(&world, "/hooks", |_| true).await;
    let disable = format!("{}/disable", path_of(&endpoint));
    world.seller.post(&disable, &json!({})).await.data();
    super::ground::becomes(
        &world,
        "select exists (select from jobs where name = 'deliver_webhook' and state = 'idle')",
    )
    .await;
    let heard = arrived(&world, "/hooks").len();
    assert!(heard <= 5, "{heard}");
    let held = "select count(*) from webhook_deliveries where state = 'held' and event_type = 'upload.failed'";
    assert_eq!(world.count(held).await, 20 - heard as i64);
}
