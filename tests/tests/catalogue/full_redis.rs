//! A Redis that is full: nothing of what clients read is in it, and what it refuses is neither lost nor slow.

use tests::redis::RedisServer;
use tests::world::Plan;
use tests::{Sample, World};

async fn command(server: &RedisServer, parts: &[&str]) -> redis::Value {
    let client = server.client();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(parts[0]);
    command.arg(&parts[1..]);
    command.query_async(&mut connection).await.unwrap()
}

async fn world_with(server: &RedisServer) -> World {
    World::planned(Plan {
        redis_url: Some(server.url()),
        ..Plan::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_search_for_takes_no_room_in_the_queues_redis() {
    let server = RedisServer::start();
    let world = world_with(&server).await;
    for turn in 0..100 {
        for path in [
            "search-packages?query=word",
            "packages?sort=price&sourceModel=model",
        ] {
            let answer = world.anonymous.get(&format!("/api/ai/{path}{turn}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    let keys: Vec<String> =
        redis::from_redis_value(command(&server, &["keys", "*"]).await).unwrap();
    let about_lists: Vec<&String> = keys
        .iter()
        .filter(|key| key.contains("catalogue") && !key.ends_with(":epoch:catalogue"))
        .collect();
    assert!(about_lists.is_empty(), "{about_lists:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_is_told_and_loses_nothing() {
    let server = RedisServer::start();
    let world = world_with(&server).await;
    let healthy = world.anonymous.get("/health").await.json();
    assert_eq!(healthy["status"], "healthy", "{healthy}");
    command(&server, &["config", "set", "maxmemory", "1"]).await;

    let health = world.anonymous.get("/health").await;
    assert_eq!(health.status, 200);
    let health = health.json();
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(health["degraded"], serde_json::json!(["redis"]));
    assert_eq!(
        health["redis"]["error"],
        "refuses to write: its memory is full"
    );
    let upload = world.seller.upload(&Sample::vector(1).request()).await;
    assert_eq!(upload.status, 202, "{}", upload.text);
    let search = world
        .anonymous
        .get("/api/ai/search-packages?query=vision")
        .await;
    assert_eq!(search.status, 200);

    command(&server, &["config", "set", "maxmemory", "0"]).await;
    let ended = world.seller.ended(&upload.upload_id()).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let healthy = world.anonymous.get("/health").await.json();
    assert_eq!(healthy["status"], "healthy", "{healthy}");
}
