//! Webhook deliveries through a whole stack of processes: capacity, latency at a steady pace, neighbours
//! that hang, and what it costs in statements of PostgreSQL and commands of Redis, which are counted.
//!
//! The receiver is in this process and answers after ten milliseconds.

mod cost;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use clap::Parser;
use common::ids::JobId;
use common::outbox::Outbox;
use common::queue::Queue;
use loadtest::fsync_probe;
use local::stack::Stack;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use cost::Cost;

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Deliveries of the capacity run
    #[arg(long, default_value_t = 20_000)]
    deliveries: i64,
    /// Events per second of the latency runs
    #[arg(long, default_value_t = 1_000)]
    per_second: i64,
    /// Seconds of each latency run
    #[arg(long, default_value_t = 15)]
    seconds: i64,
}

/// Endpoints, each of a tenant of its own, so that a tenth of the rate of each is used.
const ENDPOINTS: i64 = 200;
/// Of those, so many hang in the last run.
const HANGING: i64 = 60;
const ANSWER_AFTER: Duration = Duration::from_millis(10);
/// Longer than any endpoint waits.
const HANG: Duration = Duration::from_secs(60);
/// Before idle costs are counted, and while.
const IDLE_SETTLES: Duration = Duration::from_secs(6);
const IDLE_LASTS: Duration = Duration::from_secs(20);
/// Events of the latency runs are committed in batches, so often in a second.
const BATCHES_PER_SECOND: i64 = 50;

/// The prefix of the stack's keys: the default.
const REDIS_PREFIX: &str = "awareness";

/// When each event was first heard of, by its message id.
#[derive(Clone, Default)]
struct Heard {
    arrivals: Arc<Mutex<HashMap<String, (i64, u32)>>>,
    hangs: Arc<Mutex<bool>>,
}

impl Heard {
    fn hangs(&self) -> bool {
        *self.hangs.lock().expect("no holder panics")
    }

    fn note(&self, headers: &HeaderMap) {
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
        let now = chrono::Utc::now().timestamp_micros();
        let mut arrivals = self.arrivals.lock().expect("no holder panics");
        let id = id.unwrap_or_default().to_owned();
        arrivals.entry(id).or_insert((now, 0)).1 += 1;
    }
}

async fn receive(State(heard): State<Heard>, uri: Uri, headers: HeaderMap) -> StatusCode {
    let number: i64 = uri.path()[1..].parse().unwrap_or_default();
    if number < HANGING && heard.hangs() {
        tokio::time::sleep(HANG).await;
    } else {
        heard.note(&headers);
        tokio::time::sleep(ANSWER_AFTER).await;
    }
    StatusCode::OK
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    common::tls::install_provider();
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| temporary.path().join("stack"));
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    let router = Router::new().fallback(receive).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let stack = loadtest::start_stack(&folder).await?;
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect(&stack.migration_database_url)
        .await?;
    let queue = Queue::connect(&stack.redis_url, REDIS_PREFIX).await?;
    let bench = Bench {
        outbox: Outbox::new(pool.clone(), queue),
        pool,
        redis: redis::Client::open(stack.redis_url.as_str())?,
        committed: AtomicI64::new(0),
        heard,
    };
    let result = bench.measure(&stack, &arguments, address).await;
    if result.is_ok() {
        println!("fsync probe: {:.2} ms", fsync_probe(&folder)?);
    }
    stack.stop().await;
    result
}

struct Bench {
    pool: PgPool,
    redis: redis::Client,
    outbox: Outbox,
    committed: AtomicI64,
    heard: Heard,
}

impl Bench {
    async fn measure(
        &self,
        stack: &Stack,
        arguments: &Arguments,
        receiver: SocketAddr,
    ) -> anyhow::Result<()> {
        self.set_up(receiver).await?;
        self.idle(stack).await?;
        self.capacity(arguments.deliveries).await?;
        let idle = self.latency("all healthy", arguments, 0).await?;
        *self.heard.hangs.lock().expect("no holder panics") = true;
        let neighbours = self.latency("30 % hang", arguments, HANGING).await?;
        println!(
            "with 30 % of the endpoints hanging, the healthy ones' p99 is {:.2} times that without",
            neighbours / idle
        );
        Ok(())
    }

    async fn set_up(&self, receiver: SocketAddr) -> anyhow::Result<()> {
        sqlx::query(
            "insert into users (id, name)
             select gen_random_uuid(), 'bench-' || number
             from generate_series(0, $1 - 1) as number",
        )
        .bind(ENDPOINTS)
        .execute(&self.pool)
        .await?;
        // All sign with the key of the stack's seller.
        sqlx::query(
            "insert into webhook_endpoints (id, owner_id, source, url, api_key_id, payload, rate_per_second)
             select uuid_v7(), users.id, 'registered', $1 || substr(users.name, 7),
                    (select id from api_keys order by created_at limit 1), 'full', 1000
             from users
             where name like 'bench-%'",
        )
        .bind(format!("http://{receiver}/"))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What one more idle worker of webhooks asks, beyond what the whole idle stack does.
    async fn idle(&self, stack: &Stack) -> anyhow::Result<()> {
        let without = self.idle_cost().await?;
        let settings = std::fs::read_to_string(stack.folder.join("stack.env"))?;
        let variables = settings.lines().filter_map(|line| {
            let (name, value) = line
                .strip_prefix("export ")
                .unwrap_or(line)
                .split_once('=')?;
            Some((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
        });
        let program = std::env::current_exe()?.with_file_name("awareness-worker");
        let mut worker = tokio::process::Command::new(program)
            .args(["--queues", "webhook"])
            .envs(variables)
            .env("WORKER_OPS_LISTEN", "127.0.0.1:0")
            .env("PUBLIC_BASE_URL", &stack.base_url)
            .env("AWARENESS_SIGNING_KEY", "0".repeat(64))
            .env("STRIPE_SECRET_KEY", "")
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let with = self.idle_cost().await?;
        worker.kill().await?;
        println!(
            "idle: the stack of all processes and queues asks {:.1} transactions of PostgreSQL and {:.1} requests of Redis per second; one more worker of webhooks adds {:.1} and {:.1}",
            without.transactions,
            without.requests,
            with.transactions - without.transactions,
            with.requests - without.requests
        );
        Ok(())
    }

    /// Per second, once things have calmed down.
    async fn idle_cost(&self) -> anyhow::Result<Cost> {
        tokio::time::sleep(IDLE_SETTLES).await;
        let before = Cost::so_far(&self.pool, &self.redis).await?;
        tokio::time::sleep(IDLE_LASTS).await;
        let cost = Cost::so_far(&self.pool, &self.redis).await?.since(&before);
        let seconds = IDLE_LASTS.as_secs_f64();
        Ok(Cost {
            transactions: cost.transactions / seconds,
            commands: cost.commands / seconds,
            requests: cost.requests / seconds,
        })
    }

    /// A backlog that appears at once.
    async fn capacity(&self, deliveries: i64) -> anyhow::Result<()> {
        let before = Cost::so_far(&self.pool, &self.redis).await?;
        self.commit(deliveries).await?;
        let start = Instant::now();
        self.until_delivered(0).await?;
        let seconds = start.elapsed().as_secs_f64();
        let cost = Cost::so_far(&self.pool, &self.redis).await?.since(&before);
        let count = deliveries as f64;
        println!(
            "capacity: {deliveries} deliveries in {seconds:.1} s = {:.0}/s; {:.3} transactions of PostgreSQL and {:.3} commands of Redis per delivery",
            count / seconds,
            cost.transactions / count,
            cost.commands / count
        );
        self.report_losses(deliveries);
        Ok(())
    }

    /// A steady pace; answers the p99 from commit to arrival in milliseconds.
    async fn latency(
        &self,
        name: &str,
        arguments: &Arguments,
        hanging: i64,
    ) -> anyhow::Result<f64> {
        self.heard
            .arrivals
            .lock()
            .expect("no holder panics")
            .clear();
        sqlx::query(
            "truncate webhook_events, webhook_bodies, webhook_deliveries, webhook_attempts cascade",
        )
        .execute(&self.pool)
        .await?;
        let before = Cost::so_far(&self.pool, &self.redis).await?;
        let mut ticks =
            tokio::time::interval(Duration::from_millis(1000 / BATCHES_PER_SECOND as u64));
        let batch = arguments.per_second / BATCHES_PER_SECOND;
        for _ in 0..arguments.seconds * BATCHES_PER_SECOND {
            ticks.tick().await;
            self.commit(batch).await?;
        }
        self.until_delivered(hanging).await?;
        let cost = Cost::so_far(&self.pool, &self.redis).await?.since(&before);
        let mut latencies = self.latencies(hanging).await?;
        latencies.sort_by(f64::total_cmp);
        let at = |share: f64| latencies[(latencies.len() as f64 * share) as usize];
        let count = latencies.len() as f64;
        println!(
            "{name}, {}/s: {} heard by healthy endpoints, commit to arrival p50 {:.1} ms, p99 {:.1} ms; {:.3} transactions and {:.3} commands per delivery, the commits of the events not counted",
            arguments.per_second,
            latencies.len(),
            at(0.5),
            at(0.99),
            (cost.transactions - (arguments.seconds * BATCHES_PER_SECOND) as f64) / count,
            cost.commands / count,
        );
        Ok(at(0.99))
    }

    /// Events spread over all endpoints, in one transaction; the alarms are rung as the programs do.
    async fn commit(&self, count: i64) -> anyhow::Result<()> {
        let alarms: Vec<JobId> = sqlx::query_scalar(
            "select announce_webhook_event(gen_random_uuid(), owner_id, gen_random_uuid(), 'upload.failed',
                        gen_random_uuid()::text,
                        convert_to('{\"event\":\"upload.failed\",\"uploadId\":\"upload_1\",\"error\":\"x\"}', 'utf8'),
                        'req_bench', null, null)
             from generate_series(1, $1) as number
             join (
                 select owner_id, row_number() over (order by url) - 1 as place
                 from webhook_endpoints
                 where source = 'registered'
             ) as endpoint on place = (number + $2) % $3",
        )
        .bind(count)
        .bind(self.committed.fetch_add(count, Ordering::Relaxed))
        .bind(ENDPOINTS)
        .fetch_all(&self.pool)
        .await?;
        for alarm in alarms {
            self.outbox.ring(alarm);
        }
        Ok(())
    }

    async fn until_delivered(&self, hanging: i64) -> anyhow::Result<()> {
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "select count(*)
                 from webhook_deliveries
                 join webhook_endpoints as endpoint on endpoint.id = endpoint_id
                 where webhook_deliveries.state <> 'delivered'
                   and split_part(url, '/', 4)::bigint >= $1",
            )
            .bind(hanging)
            .fetch_one(&self.pool)
            .await?;
            if waiting == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn latencies(&self, hanging: i64) -> anyhow::Result<Vec<f64>> {
        let rows: Vec<(uuid::Uuid, i64)> = sqlx::query_as(
            "select event_id, (extract(epoch from occurred_at) * 1000000)::bigint
             from webhook_deliveries
             join webhook_events as event on event.id = event_id
             join webhook_endpoints as endpoint on endpoint.id = endpoint_id
             where split_part(url, '/', 4)::bigint >= $1",
        )
        .bind(hanging)
        .fetch_all(&self.pool)
        .await?;
        let arrivals = self.heard.arrivals.lock().expect("no holder panics");
        Ok(rows
            .into_iter()
            .filter_map(|(id, occurred)| {
                let (arrived, _) = arrivals.get(&format!("msg_{}", id.simple()))?;
                Some((arrived - occurred) as f64 / 1e3)
            })
            .collect())
    }

    fn report_losses(&self, promised: i64) {
        let arrivals = self.heard.arrivals.lock().expect("no holder panics");
        let doubled: u32 = arrivals.values().map(|(_, times)| times - 1).sum();
        println!(
            "lost {}, sent twice {doubled}",
            promised - arrivals.len() as i64
        );
    }
}
