//! What is secret is shown where it is made, and nowhere else: not in rows, answers or metrics.

use serde_json::json;
use tests::World;

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
