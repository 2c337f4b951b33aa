//! Presence: in Redis under the seed's names, filled in from PostgreSQL, and never more than presence.

use common::agents::{self, AgentId};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tests::redis::RedisServer;
use tests::world::Plan;
use tests::{World, eventually};

use super::ground::{beat, change, register, show};

async fn world_on(server: &RedisServer) -> World {
    World::planned(Plan {
        worker: false,
        redis_url: Some(server.url()),
        ..Plan::default()
    })
    .await
}

async fn connection(server: &RedisServer) -> MultiplexedConnection {
    let client = server.client();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Once all that Redis should know is in it.
async fn filled(world: &World, server: &RedisServer) {
    let key = world.presence_key("agents:filled");
    eventually("presence to be filled in", || async {
        let client = server.client();
        let mut redis = client.get_multiplexed_async_connection().await.ok()?;
        let is_filled: bool = redis.exists(&key).await.ok()?;
        is_filled.then_some(())
    })
    .await;
}

async fn members(redis: &mut MultiplexedConnection, key: &str) -> Vec<String> {
    let mut members: Vec<String> = redis.smembers(key).await.unwrap();
    members.sort();
    members
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_has_the_seeds_keys_as_long_as_an_agent_is_registered() {
    let server = RedisServer::start();
    let world = world_on(&server).await;
    let mut redis = connection(&server).await;
    let key = |name: &str| world.presence_key(name);
    register(&world.seller, "broker").await;
    let text: String = redis.get(key("agent:broker")).await.unwrap();
    let profile: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(profile["agent_id"], "broker");
    assert_eq!(profile["capabilities"], json!(["vision", "translation"]));
    assert_eq!(profile["cost_per_task"], json!(2.5));
    let seconds: i64 = redis.ttl(key("agent:broker")).await.unwrap();
    assert!((3590..=3600).contains(&seconds), "{seconds}");
    assert_eq!(members(&mut redis, &key("agents:all")).await, ["broker"]);

    let changes = json!({ "capabilities": ["vision", "ocr"] });
    assert_eq!(change(&world.seller, "broker", &changes).await.status, 200);
    for (capability, who) in [
        ("vision", vec!["broker"]),
        ("ocr", vec!["broker"]),
        ("translation", vec![]),
    ] {
        let set = key(&format!("agents:capabilities:{capability}"));
        assert_eq!(members(&mut redis, &set).await, who, "{capability}");
    }

    assert_eq!(world.seller.delete("/api/agents/broker").await.status, 204);
    let left: Vec<String> = redis.keys(key("agent*")).await.unwrap();
    let about_it: Vec<&String> = left
        .iter()
        .filter(|name| !name.ends_with(":filled") && !name.ends_with(":fresh"))
        .collect();
    assert!(about_it.is_empty(), "{about_it:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_heartbeat_makes_an_agent_offline_and_the_next_one_online() {
    let server = RedisServer::start();
    let world = world_on(&server).await;
    let mut redis = connection(&server).await;
    register(&world.seller, "broker").await;
    filled(&world, &server).await;
    let key = world.presence_key("agent:broker");
    let all = world.presence_key("agents:all");
    // The time passes: in Redis, and in PostgreSQL.
    let leases = world.presence_key("agents:leases");
    let () = redis.zadd(&leases, "broker", 1).await.unwrap();
    let () = redis.del(&key).await.unwrap();
    world
        .force("update agents set seen_at = now() - interval '61 minutes'")
        .await;
    assert_eq!(
        show(&world.anonymous, "broker").await["presence"],
        "offline"
    );
    eventually("the sets to be cleaned", || async {
        let mut redis = connection(&server).await;
        members(&mut redis, &all).await.is_empty().then_some(())
    })
    .await;
    let answer = beat(&world.seller, "broker").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.data()["presence"], "online");
    assert_eq!(answer.data()["version"], 1, "a sign of life is no change");
    assert_eq!(members(&mut redis, &all).await, ["broker"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_registry_goes_on_and_presence_is_unknown_until_it_is_back() {
    let server = RedisServer::start();
    let world = world_on(&server).await;
    register(&world.seller, "before").await;
    filled(&world, &server).await;
    server.kill();
    let during = register(&world.seller, "during").await;
    assert_eq!(during["presence"], "unknown");
    let changes = json!({ "costPerTaskMinor": 1 });
    assert_eq!(change(&world.seller, "before", &changes).await.status, 200);
    assert_eq!(beat(&world.seller, "before").await.status, 200);
    assert_eq!(
        show(&world.anonymous, "before").await["presence"],
        "unknown"
    );

    server.restart();
    eventually("both to be online again", || async {
        for id in ["before", "during"] {
            let presence = show(&world.anonymous, id).await["presence"].clone();
            if presence != "online" {
                return None;
            }
        }
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_loses_is_filled_in_and_whom_it_should_not_know_is_taken_out() {
    let server = RedisServer::start();
    let world = world_on(&server).await;
    let mut redis = connection(&server).await;
    for id in ["one", "two", "gone"] {
        register(&world.seller, id).await;
    }
    filled(&world, &server).await;
    world
        .force("update agents set unregistered_at = now() where agent_id = 'gone'")
        .await;
    let fresh = world.presence_key("agents:fresh");
    let all = world.presence_key("agents:all");
    let () = redis.del(&fresh).await.unwrap();
    eventually("the stranger to be taken out", || async {
        let mut redis = connection(&server).await;
        (members(&mut redis, &all).await == ["one", "two"]).then_some(())
    })
    .await;
    let () = redis::cmd("FLUSHALL")
        .query_async(&mut redis)
        .await
        .unwrap();
    filled(&world, &server).await;
    assert_eq!(members(&mut redis, &all).await, ["one", "two"]);
    let vision = world.presence_key("agents:capabilities:vision");
    assert_eq!(members(&mut redis, &vision).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_word_of_an_older_version_changes_nothing() {
    let server = RedisServer::start();
    let world = world_on(&server).await;
    let mut redis = connection(&server).await;
    register(&world.seller, "broker").await;
    let older = agents::find(&world.pool, &AgentId::parse("broker").unwrap()).await;
    let changes = json!({ "capabilities": ["ocr"] });
    assert_eq!(change(&world.seller, "broker", &changes).await.status, 200);
    world.presence().appear(&older.unwrap()).await;
    let text: String = redis.get(world.presence_key("agent:broker")).await.unwrap();
    let profile: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(profile["capabilities"], json!(["ocr"]));
    let vision = world.presence_key("agents:capabilities:vision");
    assert!(members(&mut redis, &vision).await.is_empty());
}
