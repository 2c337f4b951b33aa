//! Settlements per second through the worker's own path, all guards of the schema on, one seller and
//! the fee account hot; beside a pgbench script that writes the same rows into bare tables, and beside
//! the same load spread over many sellers. An fsync probe stands by every figure.

mod bare;
mod ground;
mod profile;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use common::config::DatabaseConfig;
use common::ids::{JobId, WorkerId};
use common::jobs::Lease;
use common::ledger;
use common::limits::SETTLE_BATCH_MAX;
use common::outbox::Outbox;
use common::purchases::{Settled, Settler};
use common::queue::Queue;
use loadtest::{cpu_ms, fsync_probe, median};
use local::postgres::{PostgresOptions, PrivatePostgres};
use local::redis::{PrivateRedis, RedisOptions};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use uuid::Uuid;

#[derive(Parser)]
struct Arguments {
    /// Settlements per measurement
    #[arg(long, default_value_t = 20_000)]
    settlements: i32,
    /// Rounds of all measurements; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Callers at once where purchases share a transaction
    #[arg(long, default_value_t = 128)]
    callers: usize,
    /// Callers at once where each has its own
    #[arg(long, default_value_t = 16)]
    single_callers: usize,
    /// Sellers over which the spread load is spread
    #[arg(long, default_value_t = 1_000)]
    sellers: i32,
    /// Instead: print where PostgreSQL spends the time of one settlement
    #[arg(long)]
    profile: bool,
}

struct Bench {
    arguments: Arguments,
    folder: tempfile::TempDir,
    url: String,
    /// With the rights of the schema's owner, for the setup.
    owner: PgPool,
    outbox: Outbox,
    salt: i32,
}

#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    p99_ms: Vec<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()?;
    let mut options = PostgresOptions::new(folder.path().join("pg"), folder.path().join("pg.log"));
    let mut settings = vec![("shared_buffers", "1GB"), ("max_wal_size", "8GB")];
    if arguments.profile {
        settings.extend(profile::SETTINGS);
    }
    options.settings = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let postgres = PrivatePostgres::start(options).await?;
    let redis = PrivateRedis::start(RedisOptions::new(
        folder.path().join("redis"),
        folder.path().join("redis.log"),
    ))
    .await?;
    postgres.create_database("bench").await?;
    let url = postgres.url("bench");
    let migrator = PgPool::connect(&postgres.migrator_url("bench")).await?;
    common::db::migrate(&migrator).await?;
    let config = DatabaseConfig {
        url: postgres.services_url("bench").into(),
        pool_min: 5,
        pool_max: 20,
        idle_timeout: Duration::from_secs(30),
        connection_timeout: Duration::from_secs(30),
    };
    let pool = common::db::connect(&config).await?;
    let owner = PgPoolOptions::new()
        .max_connections(2)
        .connect(&url)
        .await?;
    sqlx::query(ground::BENCH_ID).execute(&owner).await?;
    let queue = Queue::connect(&redis.url(), "bench").await?;
    let mut bench = Bench {
        arguments,
        folder,
        url,
        owner,
        outbox: Outbox::new(pool, queue),
        salt: 0,
    };
    if bench.arguments.profile {
        bench.profile().await
    } else {
        bench.run().await
    }
}

impl Bench {
    async fn profile(&mut self) -> anyhow::Result<()> {
        let worker = WorkerId::new();
        self.set_up(1, worker).await?;
        profile::start(&self.owner).await?;
        self.settle("one at a time, hot", worker, 1, &mut Figures::default())
            .await?;
        profile::print(&self.owner, self.arguments.settlements).await
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        let folding = tokio::spawn(fold(self.outbox.pool().clone()));
        let (mut single, mut batched, mut spread) =
            (Figures::default(), Figures::default(), Figures::default());
        let mut bare = Vec::new();
        for round in 0..self.arguments.rounds {
            println!("round {round}");
            self.measure("one at a time, hot", 1, 1, &mut single)
                .await?;
            self.set_up(1, WorkerId::new()).await?;
            let (folder, settlements) = (self.folder.path(), self.arguments.settlements);
            bare.push(bare::measure(&self.owner, &self.url, folder, self.salt, settlements).await?);
            self.measure("batches, hot", 1, SETTLE_BATCH_MAX, &mut batched)
                .await?;
            let sellers = self.arguments.sellers;
            self.measure("batches, spread", sellers, SETTLE_BATCH_MAX, &mut spread)
                .await?;
        }
        folding.abort();
        self.prove_exact().await?;
        let bare = median(bare);
        println!("\nmedians of {} rounds", self.arguments.rounds);
        for (name, figures) in [
            ("one at a time, hot", single),
            ("batches, hot", batched),
            ("batches, spread", spread),
        ] {
            let (rate, p99) = (median(figures.per_second), median(figures.p99_ms));
            println!(
                "  {name:20} {rate:8.0}/s  p99 {p99:6.1} ms  {:.2} of pgbench",
                rate / bare
            );
        }
        println!("  {:20} {bare:8.0}/s", "pgbench, bare, hot");
        Ok(())
    }

    async fn measure(
        &mut self,
        name: &str,
        sellers: i32,
        batch_max: usize,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let worker = WorkerId::new();
        self.set_up(sellers, worker).await?;
        self.settle(name, worker, batch_max, figures).await
    }

    /// Settles one round's purchases; every one must be settled by its own call.
    async fn settle(
        &self,
        name: &str,
        worker: WorkerId,
        batch_max: usize,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let probe = fsync_probe(self.folder.path())?;
        let settler = Settler::start(self.outbox.clone(), worker, batch_max);
        let jobs: Vec<Uuid> = sqlx::query_scalar("select id from jobs where worker = $1")
            .bind(worker)
            .fetch_all(&self.owner)
            .await?;
        let count = jobs.len();
        let jobs = Arc::new(std::sync::Mutex::new(jobs));
        let (start, cpu) = (Instant::now(), cpu_ms()?);
        let mut callers = JoinSet::new();
        let callers_at_once = match batch_max {
            1 => self.arguments.single_callers,
            _ => self.arguments.callers,
        };
        for _ in 0..callers_at_once {
            let (settler, jobs) = (settler.clone(), Arc::clone(&jobs));
            callers.spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let next = jobs.lock().expect("no caller panics").pop();
                    let Some(job) = next else {
                        return anyhow::Ok(latencies);
                    };
                    let start = Instant::now();
                    let settled = settler.settle(&lease(job, worker)).await?;
                    ensure!(settled == Settled::Now, "{job}: {settled:?}");
                    latencies.push(start.elapsed());
                }
            });
        }
        let mut latencies = Vec::with_capacity(count);
        while let Some(caller) = callers.join_next().await {
            latencies.extend(caller??);
        }
        let rate = count as f64 / start.elapsed().as_secs_f64();
        let cpu = (cpu_ms()? - cpu) / count as f64;
        latencies.sort();
        let ms =
            |share: f64| latencies[(latencies.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "  {name:20} {rate:8.0}/s  p50 {:6.1} ms  p99 {:6.1} ms  cpu {cpu:.2} ms  fsync {probe:.2} ms",
            ms(0.5),
            ms(0.99)
        );
        figures.per_second.push(rate);
        figures.p99_ms.push(ms(0.99));
        Ok(())
    }

    async fn set_up(&mut self, sellers: i32, worker: WorkerId) -> anyhow::Result<()> {
        self.salt += 1;
        let settlements = self.arguments.settlements;
        ground::set_up(&self.owner, self.salt, settlements, sellers, worker).await
    }

    async fn deltas(&self) -> anyhow::Result<i64> {
        let count = sqlx::query_scalar("select count(*) from account_deltas");
        Ok(count.fetch_one(&self.owner).await?)
    }

    /// The books after all of it: balanced, and to the cent what was sold.
    async fn prove_exact(&self) -> anyhow::Result<()> {
        // A fold that was aborted may go on in the server for a moment, with its deltas in hand.
        while self.deltas().await? > 0 {
            ledger::fold(self.outbox.pool(), 100_000).await?;
        }
        let (sum, earned, fees, settled): (i64, i64, i64, i64) = sqlx::query_as(
            "select (select sum(balance_minor)::bigint from accounts),
                    (select sum(balance_minor)::bigint from accounts where kind = 'seller_earnings'),
                    (select sum(balance_minor)::bigint from accounts where kind = 'platform_fees'),
                    (select count(*) from transfers where kind = 'settlement')",
        )
        .fetch_one(&self.owner)
        .await?;
        ensure!(sum == 0, "the books are off by {sum}");
        ensure!(
            earned == settled * 849 && fees == settled * 150,
            "a share is wrong"
        );
        println!("\nledger exact: {settled} settlements, 0 lost, 0 doubled");
        Ok(())
    }
}

async fn fold(pool: PgPool) {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if let Err(error) = ledger::fold(&pool, 20_000).await {
            eprintln!("could not fold: {error}");
        }
    }
}

fn lease(job: Uuid, worker: WorkerId) -> Lease {
    Lease {
        job: JobId(job),
        name: "settle_purchase".to_owned(),
        subject: Uuid::nil(),
        tenant: None,
        trace: String::new(),
        fence: 1,
        worker,
        attempts: 0,
        snoozes: 0,
        waited_seconds: 0.0,
    }
}
