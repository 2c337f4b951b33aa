//! Nobody's webhooks are anybody else's: each route as nobody, as a stranger, with a revoked key.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;

use super::ground::{arrives, fail_uploads, path_of, register};

const BASE: &str = "/api/ai/webhooks";

/// Every route about one thing of the seller.
fn routes(endpoint: &str, delivery: &str, event: &str, recovery: &str) -> Vec<Route> {
    let since = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let get = |path: &str| (Method::GET, path.to_owned(), None);
    let delete = |path: String| (Method::DELETE, path, None);
    let post = |path: String| (Method::POST, path, Some(json!({})));
    let recover = Some(json!({ "since": since }));
    vec![
        get(endpoint),
        (
            Method::PATCH,
            endpoint.to_owned(),
            Some(json!({ "description": "mine" })),
        ),
        delete(endpoint.to_owned()),
        post(format!("{endpoint}/rotate-secret")),
        post(format!("{endpoint}/enable")),
        post(format!("{endpoint}/disable")),
        post(format!("{endpoint}/test")),
        (Method::POST, format!("{endpoint}/recover"), recover),
        get(&format!("{endpoint}/stats")),
        get(delivery),
        post(format!("{delivery}/resend")),
        get(event),
        delete(format!("{event}/payload")),
        get(recovery),
        post(format!("{recovery}/cancel")),
    ]
}

type Route = (Method, String, Option<Value>);

#[tokio::test(flavor = "multi_thread")]
async fn strangers_find_nothing_and_nobody_may_ask() {
    let world = World::start().await;
    let endpoint = register(&world, "/hooks", json!({})).await;
    fail_uploads(&world, 1).await;
    let heard = arrives(&world, "/hooks", |_| true).await;
    let path = path_of(&endpoint);
    let since = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let recover = format!("{path}/recover");
    let recovery = world
        .seller
        .post(&recover, &json!({ "since": since }))
        .await
        .data();
    let delivery = format!(
        "{BASE}/deliveries/{}",
        heard.headers["x-awareness-delivery"]
    );
    let event = format!("{BASE}/events/{}", heard.headers["webhook-id"]);
    let recovery = format!(
        "{BASE}/recoveries/{}",
        recovery["recoveryId"].as_str().unwrap()
    );
    let revoked = world
        .seller
        .with_token("ak_ai_00000000000000000000000000000000");
    for (method, path, body) in routes(&path, &delivery, &event, &recovery) {
        for (client, expected) in [
            (&world.stranger, 404),
            (&world.anonymous, 401),
            (&revoked, 401),
        ] {
            let request = client
                .request(method.clone(), &path)
                .header("if-match", "*");
            let request = match &body {
                Some(body) => request.json(body),
                None => request,
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
        let path = format!("{BASE}/{list}");
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
