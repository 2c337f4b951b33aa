//! One account's slow receivers cost that account, and nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::ids::{ApiKeyId, JobId, UserId};
use common::limits::TENANT_DRAINS_MAX;
use tests::{World, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::ground::{arrives, becomes};

/// A receiver that answers nobody until it is told to.
struct Gate {
    url: String,
    held: Arc<AtomicUsize>,
    open: Arc<Semaphore>,
}

impl Gate {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            held: Arc::default(),
            open: Arc::new(Semaphore::new(0)),
        };
        let (held, open) = (gate.held.clone(), gate.open.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (held, open) = (held.clone(), open.clone());
                tokio::spawn(async move {
                    let mut request = [0; 8192];
                    let _read = socket.read(&mut request).await;
                    held.fetch_add(1, Ordering::SeqCst);
                    open.acquire().await.unwrap().forget();
                    held.fetch_sub(1, Ordering::SeqCst);
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    let _gone = socket.write_all(answer).await;
                });
            }
        });
        gate
    }
}

/// An event for each of as many endpoints of that user, at paths of that address.
async fn flood(world: &World, user: &str, url: &str, endpoints: usize) {
    let (owner, key): (UserId, ApiKeyId) = sqlx::query_as(
        "select users.id, api_keys.id
         from users
         join api_keys on user_id = users.id
         where users.name = $1",
    )
    .bind(user)
    .fetch_one(&world.pool)
    .await
    .unwrap();
    let alarms: Vec<JobId> = sqlx::query_scalar(
        "select announce_webhook_event(gen_random_uuid(), $1, gen_random_uuid(), 'upload.failed', number::text,
                    convert_to('{\"event\":\"upload.failed\",\"uploadId\":\"upload_1\",\"error\":\"x\"}', 'utf8'),
                    'req_test', $3 || '/' || number, $2)
         from generate_series(1, $4::bigint) as number",
    )
    .bind(owner)
    .bind(key)
    .bind(url)
    .bind(i64::try_from(endpoints).unwrap())
    .fetch_all(&world.pool)
    .await
    .unwrap();
    // Nobody's patience ends before the test does what it wants.
    sqlx::query("update webhook_endpoints set timeout_seconds = 30 where owner_id = $1")
        .bind(owner)
        .execute(&world.pool)
        .await
        .unwrap();
    let outbox = world.outbox().await;
    for alarm in alarms {
        outbox.ring(alarm);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_beyond_a_tenants_share_hold_no_slot_and_are_served_later() {
    let world = World::start().await;
    let gate = Gate::start().await;
    let beyond = 12;
    flood(&world, "seller", &gate.url, TENANT_DRAINS_MAX + beyond).await;
    becomes(
        &world,
        "select count(*) filter (where state = 'running') = 128
            and count(*) filter (where state = 'ready' and rests_until > now()) = 12
         from jobs
         where name = 'deliver_webhook'",
    )
    .await;
    eventually("all that have a place hang", || async {
        (gate.held.load(Ordering::SeqCst) == TENANT_DRAINS_MAX).then_some(())
    })
    .await;
    let quiet = format!("{}/quiet", world.receiver.url());
    flood(&world, "stranger", &quiet, 1).await;
    arrives(&world, "/quiet/1", |_| true).await;
    assert_eq!(gate.held.load(Ordering::SeqCst), TENANT_DRAINS_MAX);
    assert_eq!(
        world
            .count("select count(*) from webhook_attempts where outcome <> 'delivered'")
            .await,
        0,
        "the other tenant was served while all of these hung"
    );
    gate.open.add_permits(TENANT_DRAINS_MAX + beyond);
    becomes(
        &world,
        "select count(*) = 141 and bool_and(state = 'delivered') from webhook_deliveries",
    )
    .await;
}
