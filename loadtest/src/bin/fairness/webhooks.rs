//! Events of quiet tenants beside the slow endpoints of another.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use common::ids::JobId;

use super::{Bench, Waits};

/// Quiet tenants with an endpoint each, so that each event finds its endpoint at rest.
const QUIET: i64 = 20;
/// Between two events of the quiet tenants.
const EVERY: Duration = Duration::from_millis(100);
/// Events that wait for each slow endpoint.
const BACKLOG: i64 = 10;
/// Slow, but not so slow that it counts as slow (the limit is 5 s).
const SLOW: Duration = Duration::from_secs(4);
/// Longer than any endpoint waits.
const HANG: Duration = Duration::from_secs(60);
/// How long the flood goes on before the quiet tenants are measured.
const SETTLES: Duration = Duration::from_secs(3);
/// When an event that did not arrive is given up.
const GIVE_UP: Duration = Duration::from_secs(60);

/// When each event was first heard of, by its message id.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<HashMap<String, i64>>>);

async fn receive(State(heard): State<Heard>, uri: Uri, headers: HeaderMap) -> StatusCode {
    let path = uri.path();
    if path.starts_with("/slow/") {
        tokio::time::sleep(SLOW).await;
    } else if path.starts_with("/hang/") {
        tokio::time::sleep(HANG).await;
    } else {
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
        let now = chrono::Utc::now().timestamp_micros();
        let mut heard = heard.0.lock().expect("no holder panics");
        heard
            .entry(id.unwrap_or_default().to_owned())
            .or_insert(now);
    }
    StatusCode::OK
}

/// Prints the waits; answers the longest from commit to arrival, in seconds.
pub async fn measure(bench: &Bench, endpoints: i64, events: i64) -> anyhow::Result<f64> {
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    let router = Router::new().fallback(receive).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    set_up(bench, address).await?;
    let mut worst = 0.0_f64;
    let alone = run(bench, &heard, "an event, alone", events).await?;
    worst = worst.max(alone);
    for (path, what) in [("slow", "answer after 4 s"), ("hang", "hang")] {
        flood(bench, address, path, endpoints).await?;
        tokio::time::sleep(SETTLES).await;
        let what = format!("an event, beside {endpoints} endpoints that {what}");
        worst = worst.max(run(bench, &heard, &what, events).await?);
        calm(bench).await?;
    }
    Ok(worst)
}

async fn set_up(bench: &Bench, receiver: SocketAddr) -> anyhow::Result<()> {
    sqlx::query(
        "insert into users (id, name)
         select gen_random_uuid(), 'fair-' || number
         from generate_series(1, $1 + 1) as number",
    )
    .bind(QUIET)
    .execute(&bench.pool)
    .await?;
    // All sign with the key of the stack's seller. The last user has no endpoint of this kind.
    sqlx::query(
        "insert into webhook_endpoints (id, owner_id, source, url, api_key_id, payload)
         select uuid_v7(), users.id, 'registered', $1 || users.name,
                (select id from api_keys order by created_at limit 1), 'full'
         from users
         where name like 'fair-%'
           and name <> 'fair-' || ($2 + 1)",
    )
    .bind(format!("http://{receiver}/"))
    .bind(QUIET)
    .execute(&bench.pool)
    .await?;
    Ok(())
}

/// A backlog for as many endpoints of one account, made by requests that name their addresses.
async fn flood(
    bench: &Bench,
    receiver: SocketAddr,
    path: &str,
    endpoints: i64,
) -> anyhow::Result<()> {
    let mut alarms: Vec<JobId> = sqlx::query_scalar(
        "select announce_webhook_event(gen_random_uuid(), users.id, gen_random_uuid(), 'upload.failed',
                    gen_random_uuid()::text,
                    convert_to('{\"event\":\"upload.failed\",\"uploadId\":\"upload_1\",\"error\":\"x\"}', 'utf8'),
                    'req_bench', $1 || number, (select id from api_keys order by created_at limit 1))
         from users, generate_series(1, $2) as number, generate_series(1, $3)
         where name = 'fair-' || ($4 + 1)",
    )
    .bind(format!("http://{receiver}/{path}/"))
    .bind(endpoints)
    .bind(BACKLOG)
    .bind(QUIET)
    .fetch_all(&bench.pool)
    .await?;
    alarms.sort_unstable();
    alarms.dedup();
    for alarm in alarms {
        bench.outbox.ring(alarm);
    }
    Ok(())
}

/// Ends the flood.
async fn calm(bench: &Bench) -> anyhow::Result<()> {
    sqlx::query(
        "update webhook_endpoints
         set deleted_at = now(), version = version + 1
         where source = 'request'",
    )
    .execute(&bench.pool)
    .await?;
    tokio::time::sleep(SETTLES * 8).await;
    Ok(())
}

/// Events at a steady pace. Prints their waits and answers the longest.
async fn run(bench: &Bench, heard: &Heard, what: &str, events: i64) -> anyhow::Result<f64> {
    let mut committed: Vec<uuid::Uuid> = Vec::new();
    let mut ticks = tokio::time::interval(EVERY);
    for number in 0..events {
        ticks.tick().await;
        let event = uuid::Uuid::now_v7();
        let alarms: Vec<JobId> = sqlx::query_scalar(
            "select announce_webhook_event($1, users.id, gen_random_uuid(), 'upload.failed', $1::text,
                        convert_to('{\"event\":\"upload.failed\",\"uploadId\":\"upload_1\",\"error\":\"x\"}', 'utf8'),
                        'req_bench', null, null)
             from users
             where name = 'fair-' || ($2 % $3 + 1)",
        )
        .bind(event)
        .bind(number)
        .bind(QUIET)
        .fetch_all(&bench.pool)
        .await?;
        for alarm in alarms {
            bench.outbox.ring(alarm);
        }
        committed.push(event);
    }
    let seconds = arrivals(bench, heard, &committed).await?;
    let waits = Waits::new(&format!("{what}: committed to heard"), seconds);
    waits.print();
    Ok(waits.worst())
}

/// From commit to arrival of each; what did not arrive counts as [`GIVE_UP`].
async fn arrivals(bench: &Bench, heard: &Heard, events: &[uuid::Uuid]) -> anyhow::Result<Vec<f64>> {
    let rows: Vec<(uuid::Uuid, i64)> = sqlx::query_as(
        "select id, (extract(epoch from occurred_at) * 1000000)::bigint
         from webhook_events
         where id = any($1)",
    )
    .bind(events)
    .fetch_all(&bench.pool)
    .await?;
    let until = tokio::time::Instant::now() + GIVE_UP;
    loop {
        let found: Vec<Option<f64>> = {
            let heard = heard.0.lock().expect("no holder panics");
            rows.iter()
                .map(|(id, occurred)| {
                    let arrived = heard.get(&format!("msg_{}", id.simple()))?;
                    Some((arrived - occurred) as f64 / 1e6)
                })
                .collect()
        };
        if found.iter().all(Option::is_some) || tokio::time::Instant::now() > until {
            return Ok(found
                .into_iter()
                .map(|wait| wait.unwrap_or(GIVE_UP.as_secs_f64()))
                .collect());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
