//! Nobody's webhooks are anybody else's: each route as nobody, as a stranger, with a revoked key.

use common::reqwest::Method;
use serde_json::json;
use tests::World;
use tests::client::send;

use super::ground::{arrives, fail_uploads, path_of, register};

#[tokio::test(flavor = "multi_thread")]
async fn strangers_find_nothing_and_nobody_may_ask() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 1).await;
    let heard = arrives(&world, "/hooks", |_| true).await;
    let path = path_of(&endpoint);
    let since = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let recovery = world
        .seller
        .post(&format!("{path}/recover"), &json!({ "since": since }))
        .await
        .data();
    let base = "/api/ai/webhooks";
    let delivery = format!(
        "{base}/deliveries/{}",
        heard.headers["x-awareness-delivery"]
    );
    let event = format!("{base}/events/{}", heard.headers["webhook-id"]);
    let recovery = format!(
        "{base}/recoveries/{}",
        recovery["recoveryId"].as_str().unwrap()
    );
    let routes = [
        (Method::GET, path.clone(), json!(null)),
        (
            Method::PATCH,
            path.clone(),
            json!({ "description": "mine" }),
        ),
        (Method::DELETE, path.clone(), json!(null)),
        (Method::POST, format!("{path}/rotate-secret"), json!({})),
        (Method::POST, format!("{path}/enable"), json!({})),
        (Method::POST, format!("{path}/disable"), json!({})),
        (Method::POST, format!("{path}/test"), json!({})),
        (
            Method::POST,
            format!("{path}/recover"),
            json!({ "since": since }),
        ),
        (Method::GET, format!("{path}/stats"), json!(null)),
        (Method::GET, delivery.clone(), json!(null)),
        (Method::POST, format!("{delivery}/resend"), json!({})),
        (Method::GET, event.clone(), json!(null)),
        (Method::DELETE, format!("{event}/payload"), json!(null)),
        (Method::GET, recovery.clone(), json!(null)),
        (Method::POST, format!("{recovery}/cancel"), json!({})),
    ];
    let revoked = world
        .seller
        .with_token("ak_ai_00000000000000000000000000000000");
    for (method, path, body) in routes {
        for (client, expected) in [
            (&world.stranger, 404),
            (&world.anonymous, 401),
            (&revoked, 401),
        ] {
            let request = client
                .request(method.clone(), &path)
                .header("if-match", "*");
            let request = match body.is_null() {
                true => request,
                false => request.json(&body),
            };
            let answer = send(request).await;
            assert_eq!(
                answer.fault().0,
                expected,
                "{method} {path}: {}",
                answer.text
            );
        }
    }
    for list in ["endpoints", "deliveries", "events"] {
        let path = format!("{base}/{list}");
        assert_eq!(world.anonymous.get(&path).await.fault().0, 401, "{path}");
        let page = world.stranger.get(&path).await.data();
        assert_eq!(page[list], json!([]), "{path}");
    }
    // The stranger's calls left no trace.
    let log = world.seller.get(&delivery).await.data();
    assert_eq!(
        (&log["status"], &log["attempts"]),
        (&json!("delivered"), &json!(1))
    );
}
