//! What is secret is shown where it is made, and nowhere else: not in rows, answers, logs or metrics.

use serde_json::json;
use tests::stack::TestStack;
use tests::{Client, Sample, World};

use super::accounts::{PASSWORD, caller, register};

#[tokio::test(flavor = "multi_thread")]
async fn no_row_holds_a_key_a_token_or_a_password_in_clear() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let made = caller(&world, &tokens)
        .post("/api/ai/keys", &json!({ "name": "laptop" }))
        .await;
    let secrets = [
        made.data()["apiKey"].as_str().unwrap().to_owned(),
        tokens["accessToken"].as_str().unwrap().to_owned(),
        tokens["refreshToken"].as_str().unwrap().to_owned(),
        PASSWORD.to_owned(),
    ];
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text
         from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    assert!(tables.len() > 20);
    for table in tables {
        let query = format!("select coalesce(string_agg({table}::text, ' '), '') from {table}");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&world.pool)
            .await
            .unwrap();
        for secret in &secrets {
            assert!(!rows.contains(secret.as_str()), "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_never_repeats_the_secret_that_caused_it() {
    let world = World::only_api().await;
    let secret = "ak_ai_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
    let answer = world.anonymous.with_token(secret).get("/api/ai/me").await;
    assert!(!answer.text.contains(secret), "{}", answer.text);
    let body = json!({ "email": "a@example.com", "password": 4_711_471_147_i64 });
    let answer = world.anonymous.post("/api/auth/login", &body).await;
    assert_eq!(answer.status, 400);
    assert!(!answer.text.contains("4711471147"), "{}", answer.text);
    let body = json!({ "refreshToken": "rt_secretsecret" });
    let answer = world.anonymous.post("/api/auth/refresh", &body).await;
    assert!(!answer.text.contains("secretsecret"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_and_no_metric_shows_a_key_a_token_a_password_or_an_address() {
    let running = TestStack::start().await;
    let stack = &running.stack;
    let nobody = Client::new(stack.base_url.clone(), None);
    let person = json!({ "email": "grace@example.com", "username": "grace", "password": PASSWORD });
    let tokens = nobody.post("/api/auth/register", &person).await.data();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let session = nobody.with_token(&text(&tokens["accessToken"]));
    let new = json!({ "name": "laptop", "permissions": ["upload", "webhooks"] });
    let made = session.post("/api/ai/keys", &new).await.data();
    let key = nobody.with_token(&text(&made["apiKey"]));
    let wrong = "ak_ai_0123456789abcdef0123456789abcdef";
    nobody.with_token(wrong).get("/api/ai/me").await;
    let sign_in = json!({ "email": "grace@example.com", "password": "not the right one" });
    nobody.post("/api/auth/login", &sign_in).await;
    nobody
        .with_token(&stack.admin_token)
        .get("/admin/users")
        .await;
    let url = format!("{}/leaks", stack.receiver.url());
    let accepted = key
        .upload(&Sample::vector(1).request_with_webhook(&url))
        .await;
    assert_eq!(
        key.ended(&accepted.upload_id()).await["status"],
        "completed"
    );
    stack.receiver.wait_for_upload(&accepted.upload_id()).await;
    let endpoint = json!({ "url": url, "eventTypes": ["*"] });
    let endpoint = key
        .post("/api/ai/webhooks/endpoints", &endpoint)
        .await
        .data();

    let shown = logs_and_metrics(&running).await;
    for secret in [
        text(&tokens["accessToken"]),
        text(&tokens["refreshToken"]),
        text(&made["apiKey"]),
        text(&endpoint["secret"]),
        stack.admin_token.clone(),
        stack.keys.seller.clone(),
        wrong.to_owned(),
        PASSWORD.to_owned(),
        "not the right one".to_owned(),
        "grace@example.com".to_owned(),
    ] {
        let at = shown
            .find(&secret)
            .map(|at| &shown[at.saturating_sub(200)..at]);
        assert_eq!(at, None, "{secret}");
    }
    running.stop().await;
}

async fn logs_and_metrics(running: &TestStack) -> String {
    let stack = &running.stack;
    let mut shown = String::new();
    for entry in std::fs::read_dir(stack.folder.join("log")).unwrap() {
        shown += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    assert!(shown.contains("Answered POST /api/auth/register"));
    for url in [&stack.ops.api, &stack.ops.worker, &stack.ops.scheduler] {
        let metrics = running.http.get(format!("{url}/metrics")).send().await;
        shown += &metrics.unwrap().text().await.unwrap();
    }
    assert!(shown.contains("awareness_http_requests_total"));
    shown
}
