//! The durable path of a job that does nothing: transaction with event and job, push, lease, finish;
//! beside a pgbench script that writes the same rows and no more, on the same server in the same run.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use common::config::DatabaseConfig;
use common::events;
use common::ids::{JobId, WorkerId};
use common::jobs::{self, Cost, JobName, Leaser, NewJob};
use common::outbox::Outbox;
use common::queue::{Delivery, Lane, Queue, ServeOptions};
use loadtest::median;
use local::postgres::{PostgresOptions, PrivatePostgres};
use local::redis::{PrivateRedis, RedisOptions};
use tokio::process::Command;
use tokio::sync::Notify;

#[derive(Parser)]
struct Arguments {
    /// Jobs per round
    #[arg(long, default_value_t = 20_000)]
    jobs: usize,
    /// Rounds; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Writers at once, ours and pgbench's
    #[arg(long, default_value_t = 32)]
    writers: usize,
}

/// What our path writes, statement by statement.
const SCRIPT: &str = "\
begin;
insert into events (stream, version, event_type, trace, data) values (gen_random_uuid(), 1, 'bench', 'req', '{}');
insert into jobs (id, name, queue, lane, subject, trace, run_at)
    values (gen_random_uuid(), 'validate_upload', 'bench', 'fast', gen_random_uuid(), 'req', now())
    returning id \\gset
commit;
update jobs set state = 'running', fence = fence + 1, worker = gen_random_uuid(), started_at = now() where id = :id;
update jobs set state = 'done', worker = null, finished_at = now() where id = :id and fence = 1;
";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()?;
    let postgres = PrivatePostgres::start(PostgresOptions::new(
        folder.path().join("pg"),
        folder.path().join("pg.log"),
    ))
    .await?;
    let redis = PrivateRedis::start(RedisOptions::new(
        folder.path().join("redis"),
        folder.path().join("redis.log"),
    ))
    .await?;
    postgres.create_database("bench").await?;
    let url = postgres.url("bench");
    let migrator = common::db::PgPool::connect(&postgres.migrator_url("bench")).await?;
    common::db::migrate(&migrator).await?;
    let config = DatabaseConfig {
        url: postgres.services_url("bench").into(),
        pool_min: 5,
        pool_max: 32,
        idle_timeout: Duration::from_secs(30),
        connection_timeout: Duration::from_secs(30),
    };
    let pool = common::db::connect(&config).await?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let queue = Queue::connect(&redis.url(), &format!("bench{round}")).await?;
        let outbox = Outbox::new(pool.clone(), queue);
        ours.push(run_ours(&config, &outbox, arguments.jobs, arguments.writers).await?);
        floor.push(run_pgbench(&url, folder.path(), arguments.jobs, arguments.writers).await?);
        println!(
            "round {round}: ours {:.0} jobs/s, pgbench {:.0} jobs/s",
            ours[round], floor[round]
        );
    }
    let (ours, floor) = (median(ours), median(floor));
    println!(
        "median: ours {ours:.0} jobs/s, pgbench {floor:.0} jobs/s, ratio {:.2}",
        ours / floor
    );
    Ok(())
}

async fn run_ours(
    config: &DatabaseConfig,
    outbox: &Outbox,
    jobs: usize,
    writers: usize,
) -> anyhow::Result<f64> {
    let worker = WorkerId::new();
    let relaxed = common::db::connect_relaxed(config).await?;
    jobs::beat(&relaxed, worker, "bench", &[], &[]).await?;
    let (leaser, done, finished) = (
        Leaser::start(relaxed, worker),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Notify::new()),
    );
    let handler = {
        let (outbox, done, finished) = (outbox.clone(), Arc::clone(&done), Arc::clone(&finished));
        move |delivery| {
            let (outbox, leaser, done, finished) = (
                outbox.clone(),
                leaser.clone(),
                Arc::clone(&done),
                Arc::clone(&finished),
            );
            async move {
                let Delivery::Wake(wake) = delivery else {
                    return;
                };
                let Ok(Some(lease)) = leaser.lease(wake).await else {
                    return;
                };
                let mut connection = outbox.pool().acquire().await.expect("a connection");
                let ended = jobs::finish_in_tx(&mut connection, &lease).await;
                ended.expect("the statement").expect("the lease");
                if done.fetch_add(1, Ordering::Relaxed) + 1 == jobs {
                    finished.notify_one();
                }
            }
        }
    };
    let queue_name = JobName::ValidateUpload.spec().queue.name;
    let options = ServeOptions {
        concurrency: 64,
        batch: 64,
        ..ServeOptions::new(queue_name, Lane::Fast, "bench")
    };
    let serving = outbox.queue().serve(options, handler).await;
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let outbox = outbox.clone();
        let share = jobs / writers + usize::from(writer < jobs % writers);
        tasks.spawn(async move {
            for _ in 0..share {
                write_job(&outbox).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    tokio::time::timeout(Duration::from_secs(120), finished.notified())
        .await
        .context("jobs were left over")?;
    let rate = jobs as f64 / start.elapsed().as_secs_f64();
    serving.stop(Duration::from_secs(5)).await;
    Ok(rate)
}

async fn write_job(outbox: &Outbox) -> anyhow::Result<()> {
    let subject = JobId::new().0;
    let mut tx = outbox.begin().await?;
    events::append_in_tx(&mut tx, subject, "bench", "req", serde_json::json!({})).await?;
    let job = NewJob {
        name: JobName::ValidateUpload,
        subject,
        tenant: None,
        cost: Cost::ROWS,
        trace: "req".to_owned(),
        delay: Duration::ZERO,
    };
    tx.enqueue(&job).await?;
    Ok(tx.commit().await?)
}

async fn run_pgbench(
    url: &str,
    folder: &std::path::Path,
    jobs: usize,
    clients: usize,
) -> anyhow::Result<f64> {
    let script = folder.join("rows.sql");
    std::fs::write(&script, SCRIPT)?;
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={clients}"))
        .arg(format!("--transactions={}", jobs / clients))
        .arg("--file")
        .arg(&script)
        .arg(url)
        .stderr(Stdio::inherit())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "pgbench failed: {text}");
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .context("pgbench printed no rate")?;
    Ok(rate
        .split_whitespace()
        .next()
        .context("a number")?
        .parse()?)
}
