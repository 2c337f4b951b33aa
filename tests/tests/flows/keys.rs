//! API keys: shown once, kept only as a digest and sealed, narrow, and dead when they are revoked.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Client, Sample, World};

/// A new key of that user: its id, and a client that uses it.
async fn create(world: &World, user: &str, permissions: &[&str]) -> (String, Client) {
    let mut body = json!({ "name": "laptop", "permissions": permissions });
    match world.user_id(user).await {
        Some(id) => body["userId"] = json!(id),
        None => body["user"] = json!(user),
    }
    let answer = world.operator.post("/admin/keys", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let data = answer.data();
    let client = world.anonymous.with_token(data["apiKey"].as_str().unwrap());
    (data["id"].as_str().unwrap().to_owned(), client)
}

/// Rows of all tables in which the text occurs, as text or as the bytes of a `bytea`.
async fn rows_with(world: &World, text: &str) -> i64 {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let mut found = 0;
    for table in tables {
        let query = format!(
            "select count(*) from {table} where position($1 in {table}::text) > 0
                or position($2 in {table}::text) > 0"
        );
        found += sqlx::query_scalar::<_, i64>(AssertSqlSafe(query))
            .bind(text)
            .bind(hex::encode(text))
            .fetch_one(&world.pool)
            .await
            .unwrap();
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_stored_nowhere_in_clear() {
    let world = World::start().await;
    let (id, client) = create(&world, "agent", &["upload"]).await;
    let key = client.token().to_owned();
    assert_eq!(key.len(), "ak_ai_".len() + 32);
    let url = world.webhook_url();
    let answer = client
        .upload(&Sample::vector(81).request_with_webhook(&url))
        .await;
    client.ended(&answer.upload_id()).await;
    world.webhook(&answer.upload_id()).await;

    let list = world.operator.get("/admin/keys?user=agent").await;
    assert!(!list.text.contains(&key), "{}", list.text);
    let shown = &list.data()["keys"][0];
    assert_eq!(shown["id"], id.as_str());
    assert!(key.starts_with(shown["prefix"].as_str().unwrap()));
    assert_eq!(rows_with(&world, &key).await, 0);
    assert_eq!(rows_with(&world, &key["ak_ai_".len()..]).await, 0);
    // The same look finds what is there.
    assert!(rows_with(&world, &key[..12]).await > 0);
    assert!(rows_with(&world, "GPT-4 Vision Capabilities").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once_and_its_users_other_keys_live_on() {
    let world = World::only_api().await;
    let (id, lost) = create(&world, "agent", &["upload"]).await;
    let (_, kept) = create(&world, "agent", &["upload"]).await;
    let request = Sample::vector(82).request();
    assert_eq!(lost.upload(&request).await.status, 202);
    let revoked = world.operator.delete(&format!("/admin/keys/{id}")).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    let refused = lost.upload(&request).await;
    assert_eq!(refused.fault(), (401, "UNAUTHORIZED".to_owned()));
    assert_eq!(kept.upload(&request).await.status, 202);
    let unknown = format!("/admin/keys/{}", uuid::Uuid::now_v7());
    assert_eq!(world.operator.delete(&unknown).await.fault().0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_permission_is_forbidden() {
    let world = World::only_api().await;
    let (_, buyer) = create(&world, "buyer", &["purchase", "download"]).await;
    let refused = buyer.upload(&Sample::vector(83).request()).await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    for body in [
        json!({ "user": "x", "name": "y", "permissions": [] }),
        json!({ "user": "x", "name": "y", "permissions": ["root"] }),
        json!({ "user": "", "name": "y", "permissions": ["upload"] }),
        json!({ "name": "y", "permissions": ["upload"] }),
    ] {
        let refused = world.operator.post("/admin/keys", &body).await;
        assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_of_a_key_is_noted() {
    let world = World::only_api().await;
    let (_, client) = create(&world, "agent", &["upload"]).await;
    let last_use = async || -> Value {
        let list = world.operator.get("/admin/keys?user=agent").await;
        list.data()["keys"][0]["lastUsedAt"].clone()
    };
    assert_eq!(last_use().await, json!(null));
    assert_eq!(
        client.upload(&Sample::vector(84).request()).await.status,
        202
    );
    assert!(last_use().await.is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_gets_a_challenge() {
    let world = World::only_api().await;
    let request = Sample::vector(85).request();
    let short = "ak_ai_123";
    let upper = world.seller.token().to_uppercase();
    let longer = format!("{}0", world.seller.token());
    let mut answers = vec![world.anonymous.upload(&request).await];
    for token in [short, upper.as_str(), longer.as_str(), "operator"] {
        answers.push(world.anonymous.with_token(token).upload(&request).await);
    }
    for answer in answers {
        assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}
