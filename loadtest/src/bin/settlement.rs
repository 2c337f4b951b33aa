//! Settlements per second through the worker's own path, all guards of the schema on, one seller and
//! the fee account hot; beside a pgbench script that writes the same rows into bare tables, and beside
//! the same load spread over many sellers. An fsync probe stands by every figure.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use common::config::DatabaseConfig;
use common::ids::{JobId, WorkerId};
use common::jobs::Lease;
use common::ledger;
use common::limits::SETTLE_BATCH_MAX;
use common::outbox::Outbox;
use common::purchases::{Settled, Settler};
use common::queue::Queue;
use local::postgres::{PostgresOptions, PrivatePostgres};
use local::redis::{PrivateRedis, RedisOptions};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::process::Command;
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
    /// Callers at once
    #[arg(long, default_value_t = 128)]
    callers: usize,
    /// Sellers over which the spread load is spread
    #[arg(long, default_value_t = 1_000)]
    sellers: i32,
}

/// Buyers with credits, sellers with a package, and for each settlement a pending purchase, its hold
/// and a leased job; ids are made of the round and a number. `$1` salt, `$2` settlements, `$3` sellers,
/// `$4` worker.
const SETUP: &[&str] = &[
    "insert into users (id, name)
     select bench_id($1, 1, n), 'buyer-' || $1 || '-' || n from generate_series(1, $2) n
     union all
     select bench_id($1, 2, n), 'seller-' || $1 || '-' || n from generate_series(1, $3) n
     where $4::uuid is not null",
    "insert into api_keys (id, user_id, name, prefix, digest, sealed, permissions)
     select bench_id($1, 3, n), bench_id($1, 2, n), 'bench', 'bench', sha256(bench_id($1, 3, n)::text::bytea), '', '{purchase}'
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "insert into objects (key, sha256, size_bytes)
     select 'bench', sha256(''), 1 where $1 > 0 and $2 > 0 and $3 > 0 and $4::uuid is not null
     on conflict do nothing",
    "insert into packages (id, public_id, owner_id, upload_id, package_type, name, description, source_model,
                           target_model, epsilon_declared, evidence_level, package_key, w_matrix_key, report)
     select bench_id($1, 4, n), 'pkg_' || $1 || '_' || n, bench_id($1, 2, n), gen_random_uuid(), 'vector', 'bench',
            'bench', 'a', 'b', 0.05, 'declared', 'bench', 'bench', '{}'
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "insert into listings (package_id, seller_id, api_key_id, price_minor)
     select bench_id($1, 4, n), bench_id($1, 2, n), bench_id($1, 3, n), 999
     from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "select ledger_account(bench_id($1, 2, n), 'seller_earnings', 'USD') from generate_series(1, $3) n
     where $2 > 0 and $4::uuid is not null",
    "select ledger_account('00000000-0000-0000-0000-000000000000', 'platform_fees', 'USD')
     where $1 > 0 and $2 > 0 and $3 > 0 and $4::uuid is not null",
    "select ledger_post('top_up', bench_id($1, 5, n), 'USD', 'bench',
                        array[bench_id($1, 1, n), '00000000-0000-0000-0000-000000000000'],
                        array['buyer_credits', 'payments_clearing'], array[5000, -5000]::bigint[])
     from generate_series(1, $2) n
     where $3 > 0 and $4::uuid is not null",
    "insert into purchases (id, package_id, buyer_id, seller_id, api_key_id, listing_version, licence_mode,
                            price_minor, fee_minor, net_minor, currency, payment_method, request_id, state, expires_at)
     select bench_id($1, 6, n), bench_id($1, 4, n % $3 + 1), bench_id($1, 1, n), bench_id($1, 2, n % $3 + 1),
            bench_id($1, 3, n % $3 + 1), 1, 'unlimited', 999, 150, 849, 'USD', 'credits', 'req', 'pending',
            now() + interval '1 day'
     from generate_series(1, $2) n
     where $4::uuid is not null",
    "select ledger_hold(bench_id($1, 6, n), bench_id($1, 1, n), 'USD', 999) from generate_series(1, $2) n
     where $3 > 0 and $4::uuid is not null",
    "insert into jobs (id, name, queue, lane, subject, trace, state, fence, worker, started_at)
     select bench_id($1, 7, n), 'settle_purchase', 'settle', 'fast', bench_id($1, 6, n), 'req', 'running', 1, $4, now()
     from generate_series(1, $2) n
     where $3 > 0",
];

const BENCH_ID: &str = "
create or replace function bench_id(salt integer, kind integer, n integer) returns uuid
    language sql immutable parallel safe
    return md5(salt || '.' || kind || '.' || n)::uuid";

/// The rows of a settlement, into tables without triggers and foreign keys.
const BARE: &str = "\
select nextval('bare.n') as n \\gset
begin;
select pg_advisory_xact_lock_shared(1);
update bare.jobs set state = 'done', worker = null, finished_at = now() where id = bench_id(:salt, 7, :n) and fence = 1;
select id from bare.purchases where id = bench_id(:salt, 6, :n) and state = 'pending' for no key update;
update bare.holds set state = 'posted', resolved_at = now() where id = bench_id(:salt, 6, :n) returning account_id \\gset
insert into bare.transfers (kind, subject, currency, trace)
    values ('settlement', bench_id(:salt, 6, :n), 'USD', 'req') returning id as transfer_id \\gset
update bare.accounts set balance_minor = balance_minor - 999, held_minor = held_minor - 999, version = version + 1
    where id = :account_id returning version, balance_minor \\gset
insert into bare.entries (transfer_id, leg, account_id, amount_minor, account_version, balance_after_minor)
    values (:transfer_id, 1, :account_id, -999, :version, :balance_minor), (:transfer_id, 2, 1, 849, null, null),
           (:transfer_id, 3, 2, 150, null, null);
insert into bare.account_deltas (account_id, amount_minor) values (1, 849), (2, 150);
update bare.purchases set state = 'settled', settlement_id = :transfer_id, settled_at = now(),
    grant_expires_at = now(), finished_at = now(), version = version + 1 where id = bench_id(:salt, 6, :n);
insert into bare.events (subject, kind, trace, data)
    values (bench_id(:salt, 6, :n), 'purchase.completed', 'req', '{\"settlement\": 1}');
insert into bare.package_deltas (package_id, sales) values (bench_id(:salt, 4, 1), 1);
commit;
";

const BARE_TABLES: &[&str] = &[
    "jobs",
    "purchases",
    "holds",
    "accounts",
    "transfers",
    "entries",
    "account_deltas",
    "events",
    "package_deltas",
];

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
    options.settings = [("shared_buffers", "1GB"), ("max_wal_size", "8GB")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let postgres = PrivatePostgres::start(options).await?;
    let redis = PrivateRedis::start(RedisOptions::new(
        folder.path().join("redis"),
        folder.path().join("redis.log"),
    ))
    .await?;
    postgres.create_database("bench").await?;
    let url = postgres.url("bench");
    let config = DatabaseConfig {
        url: url.clone().into(),
        pool_min: 5,
        pool_max: 20,
        idle_timeout: Duration::from_secs(30),
        connection_timeout: Duration::from_secs(30),
    };
    let pool = common::db::connect(&config).await?;
    common::db::migrate(&pool).await?;
    let pool = common::db::connect(&config).await?;
    let owner = PgPoolOptions::new()
        .max_connections(2)
        .connect(&url)
        .await?;
    sqlx::query(BENCH_ID).execute(&owner).await?;
    let queue = Queue::connect(&redis.url(), "bench").await?;
    let mut bench = Bench {
        arguments,
        folder,
        url,
        owner,
        outbox: Outbox::new(pool, queue),
        salt: 0,
    };
    bench.run().await
}

impl Bench {
    async fn run(&mut self) -> anyhow::Result<()> {
        let folding = tokio::spawn(fold(self.outbox.pool().clone()));
        let (mut single, mut batched, mut spread) =
            (Figures::default(), Figures::default(), Figures::default());
        let mut bare = Vec::new();
        for round in 0..self.arguments.rounds {
            println!("round {round}");
            self.measure("one at a time, hot", 1, 1, &mut single)
                .await?;
            bare.push(self.measure_bare().await?);
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

    /// Settles one round's purchases; every one must be settled by its own call.
    async fn measure(
        &mut self,
        name: &str,
        sellers: i32,
        batch_max: usize,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let worker = WorkerId::new();
        self.set_up(sellers, worker).await?;
        let probe = fsync_probe(self.folder.path())?;
        let settler = Settler::start(self.outbox.clone(), worker, batch_max);
        let jobs: Vec<Uuid> = sqlx::query_scalar("select id from jobs where worker = $1")
            .bind(worker)
            .fetch_all(&self.owner)
            .await?;
        let count = jobs.len();
        let jobs = Arc::new(std::sync::Mutex::new(jobs));
        let start = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..self.arguments.callers {
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
        latencies.sort();
        let ms =
            |share: f64| latencies[(latencies.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "  {name:20} {rate:8.0}/s  p50 {:6.1} ms  p99 {:6.1} ms  fsync {probe:.2} ms",
            ms(0.5),
            ms(0.99)
        );
        figures.per_second.push(rate);
        figures.p99_ms.push(ms(0.99));
        Ok(())
    }

    async fn set_up(&mut self, sellers: i32, worker: WorkerId) -> anyhow::Result<()> {
        self.salt += 1;
        let mut tx = self.owner.begin().await?;
        for statement in SETUP {
            sqlx::query(AssertSqlSafe(*statement))
                .bind(self.salt)
                .bind(self.arguments.settlements)
                .bind(sellers)
                .bind(worker.0)
                .execute(&mut *tx)
                .await
                .with_context(|| (*statement).to_owned())?;
        }
        tx.commit().await?;
        sqlx::query("vacuum analyze").execute(&self.owner).await?;
        sqlx::query("checkpoint").execute(&self.owner).await?;
        Ok(())
    }

    /// The same rows by pgbench, eight at a time, on tables without a guard.
    async fn measure_bare(&mut self) -> anyhow::Result<f64> {
        self.set_up(1, WorkerId::new()).await?;
        let mut statements = vec![
            "drop schema if exists bare cascade".to_owned(),
            "create schema bare".to_owned(),
            "create sequence bare.n".to_owned(),
        ];
        for table in BARE_TABLES {
            statements.push(format!(
                "create table bare.{table} (like public.{table} including defaults including identity including indexes including storage)"
            ));
        }
        for (table, id) in [("jobs", 7), ("purchases", 6), ("holds", 6)] {
            statements.push(format!(
                "insert into bare.{table} select public.{table}.* from public.{table}
                 join generate_series(1, {}) n on public.{table}.id = bench_id({}, {id}, n)",
                self.arguments.settlements, self.salt
            ));
        }
        statements.push(
            "insert into bare.accounts overriding system value select * from public.accounts"
                .to_owned(),
        );
        statements.push("vacuum analyze".to_owned());
        statements.push("checkpoint".to_owned());
        for statement in statements {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&self.owner)
                .await?;
        }
        let probe = fsync_probe(self.folder.path())?;
        let script = self.folder.path().join("bare.sql");
        std::fs::write(&script, BARE)?;
        let output = Command::new("pgbench")
            .args([
                "--no-vacuum",
                "--protocol=prepared",
                "--jobs=2",
                "--client=8",
            ])
            .arg(format!("--define=salt={}", self.salt))
            .arg(format!("--transactions={}", self.arguments.settlements / 8))
            .arg("--file")
            .arg(&script)
            .arg(&self.url)
            .stderr(Stdio::inherit())
            .output()
            .await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "pgbench failed: {text}");
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = "))
            .and_then(|rest| rest.split_whitespace().next())
            .context("pgbench printed no rate")?
            .parse()?;
        println!(
            "  {:20} {rate:8.0}/s  {:31}fsync {probe:.2} ms",
            "pgbench, bare, hot", ""
        );
        Ok(rate)
    }

    /// The books after all of it: balanced, and to the cent what was sold.
    async fn prove_exact(&self) -> anyhow::Result<()> {
        while ledger::fold(self.outbox.pool(), 100_000).await? > 0 {}
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

/// Milliseconds of a write of 8 KiB and its fdatasync, the median of fifty.
fn fsync_probe(folder: &std::path::Path) -> anyhow::Result<f64> {
    use std::io::{Seek as _, Write as _};
    let mut file = std::fs::File::create(folder.join("probe"))?;
    let mut times = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        file.rewind()?;
        file.write_all(&[0; 8192])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
