//! Waiting for a lease: in order, past the dead, and without anybody's help but PostgreSQL's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::leases::Resource;
use common::leases::commands::{self, NewLease};
use common::limits::LEASE_WAITERS_MAX;
use serde_json::{Value, json};
use tests::redis::RedisServer;
use tests::world::Plan;
use tests::{Answer, Client, World, eventually};
use tokio::task::JoinHandle;

use super::ground::{
    acquire, ask, blocked, expire, granted, in_line, reason, release, show, token,
};

/// The longest that a request may wait.
const WAIT_MS: u64 = 30_000;
/// Requests that stand in line at once.
const WAITERS: u32 = 100;

fn waiting(client: &Client, resource: &str) -> JoinHandle<Answer> {
    let (client, resource) = (client.clone(), resource.to_owned());
    tokio::spawn(async move { ask(&client, &resource, WAIT_MS).await })
}

/// A place in line whose process is gone; it counts as dead after that time.
async fn dead_waiter(world: &World, resource: &str, counts_for: &str) {
    sqlx::query(
        "insert into lease_waiters (owner_id, resource, live_until)
         select owner_id, resource, clock_timestamp() + $2::interval
         from leases
         where resource = $1",
    )
    .bind(resource)
    .bind(counts_for)
    .execute(&world.pool)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_waiters_are_served_in_their_order_and_a_dead_one_is_passed_over() {
    let world = World::only_api().await;
    let (_api, replica) = world.another_api().await;
    let replica = replica.with_token(world.seller.token());
    let first = acquire(&world.seller, "import").await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut serving = Vec::new();
    for number in 0..WAITERS {
        let clients = [&world.seller, &replica];
        let client = clients[usize::from(number % 2 == 1)].clone();
        if number == WAITERS / 2 {
            dead_waiter(&world, "import", "15 seconds").await;
        }
        let order = Arc::clone(&order);
        serving.push(tokio::spawn(async move {
            let lease = granted(&ask(&client, "import", WAIT_MS).await);
            order.lock().unwrap().push(number);
            let released = release(&client, "import", token(&lease)).await;
            assert_eq!(released.status, 204, "{}", released.text);
        }));
        let dead = i64::from(number >= WAITERS / 2);
        in_line(&world, i64::from(number) + 1 + dead).await;
    }
    let shown = show(&world.seller, "import").await.data();
    assert!(
        shown["waiters"].as_i64() >= Some(i64::from(WAITERS)),
        "{shown}"
    );
    release(&world.seller, "import", token(&first)).await;
    for served in serving {
        served.await.unwrap();
    }
    let order = order.lock().unwrap();
    assert_eq!(*order, (0..WAITERS).collect::<Vec<u32>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_is_granted_a_lease_whose_holder_is_gone_for_good() {
    let world = World::only_api().await;
    let body = json!({ "resource": "import", "ttlMs": 1000 });
    let first = granted(&world.seller.post("/api/ai/leases", &body).await);
    let second = granted(&ask(&world.seller, "import", WAIT_MS).await);
    assert!(second["fence"].as_i64() > first["fence"].as_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_wait_is_told_who_holds_it_and_passes_nobody() {
    let world = World::only_api().await;
    let body = json!({ "resource": "import", "owner": "worker-7", "ttlMs": 300_000 });
    granted(&world.seller.post("/api/ai/leases", &body).await);
    let busy = ask(&world.seller, "import", 0).await;
    assert_eq!(reason(&busy), (409, "BUSY".to_owned()));
    let details = busy.details();
    assert_eq!(
        (&details["owner"], &details["waitersBefore"]),
        (&json!("worker-7"), &json!(0))
    );
    dead_waiter(&world, "import", "1 hour").await;
    expire(&world).await;
    let behind = ask(&world.seller, "import", 0).await;
    assert_eq!(reason(&behind), (409, "BUSY".to_owned()));
    assert_eq!(behind.details()["waitersBefore"], 1);
    let in_vain = ask(&world.seller, "import", 1).await;
    assert_eq!(reason(&in_vain), (409, "BUSY".to_owned()));
    assert_eq!(
        world.count("select count(*) from lease_waiters").await,
        1,
        "it left the line"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_dropped_gives_its_place_up() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    let dropped = waiting(&world.seller, "import");
    in_line(&world, 1).await;
    dropped.abort();
    in_line(&world, 0).await;
    let next = waiting(&world.seller, "import");
    in_line(&world, 1).await;
    release(&world.seller, "import", token(&lease)).await;
    granted(&next.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_to_a_request_that_was_dropped_is_given_back() {
    let world = World::only_api().await;
    acquire(&world.seller, "import").await;
    expire(&world).await;
    let mut tx = common::db::begin(&world.pool).await.unwrap();
    sqlx::query("select from leases for update")
        .execute(&mut *tx)
        .await
        .unwrap();
    let outbox = world.outbox().await;
    let new = NewLease {
        owner: world.seller_id().await,
        resource: Resource::parse("import").unwrap(),
        holder: Some("gone".to_owned()),
        ttl: Duration::from_secs(300),
        wait: Duration::ZERO,
    };
    let acquiring = tokio::spawn(async move { commands::acquire(&outbox, new).await });
    blocked(&world, 1).await;
    acquiring.abort();
    assert!(acquiring.await.unwrap_err().is_cancelled());
    tx.commit().await.unwrap();
    eventually("the lease to be granted and given back", || async {
        let ended = "select count(*) from leases where holder = 'gone' and token_hash is null";
        (world.count(ended).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_goes_on_while_redis_is_away() {
    let server = RedisServer::start();
    let world = World::planned(Plan {
        worker: false,
        scheduler: false,
        redis_url: Some(server.url()),
        ..Plan::default()
    })
    .await;
    let lease = acquire(&world.seller, "import").await;
    server.kill();
    let next = waiting(&world.seller, "import");
    in_line(&world, 1).await;
    let released = release(&world.seller, "import", token(&lease)).await;
    assert_eq!(released.status, 204, "{}", released.text);
    granted(&next.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_waits_no_more_and_is_granted_nothing() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    let new = json!({ "name": "worker", "permissions": ["leases"] });
    let key = world.seller.post("/api/ai/keys", &new).await.data();
    let worker = world.anonymous.with_token(key["apiKey"].as_str().unwrap());
    let waits = waiting(&worker, "import");
    in_line(&world, 1).await;
    let path = format!("/api/ai/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(world.seller.delete(&path).await.status, 200);
    let ended = waits.await.unwrap();
    assert_eq!(ended.fault(), (401, "UNAUTHORIZED".to_owned()));
    in_line(&world, 0).await;
    release(&world.seller, "import", token(&lease)).await;
    assert_eq!(show(&world.seller, "import").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_wait_for_a_lease_than_the_limit_and_the_dead_do_not_count() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    let fill = |live: &'static str| {
        sqlx::query(
            "insert into lease_waiters (owner_id, resource, live_until)
             select owner_id, resource, clock_timestamp() + $2::interval
             from leases, generate_series(1, $1)",
        )
        .bind(LEASE_WAITERS_MAX)
        .bind(live)
        .execute(&world.pool)
    };
    fill("-1 second").await.unwrap();
    let waits = waiting(&world.seller, "import");
    in_line(&world, LEASE_WAITERS_MAX + 1).await;
    fill("1 hour").await.unwrap();
    let refused = ask(&world.seller, "import", WAIT_MS).await;
    assert_eq!(reason(&refused), (409, "TOO_MANY_WAITERS".to_owned()));
    release(&world.seller, "import", token(&lease)).await;
    let lease: Value = granted(&waits.await.unwrap());
    assert!(token(&lease).starts_with("lt_"));
}
