//! What one hop through the queue costs, beside BullMQ on the same Redis in the same run.
//!
//! Starts a private `redis-server` (append-only file, fsync every second), then measures in turns:
//! push to start at a steady rate, and preloaded no-op jobs through fetch, start and
//! acknowledgement while finished jobs are removed. Medians over the rounds are printed.
//!
//! `npm install --prefix loadtest/queue` once, then
//! `cargo run --release -p loadtest --bin queue_hop`.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser;
use common::queue::{Delivery, Lane, Queue, ServeOptions, Wake};
use serde_json::Value;
use tokio::{sync::mpsc, time::sleep};
use uuid::Uuid;

const NAME: &str = "hop";
const REDIS_START_TIMEOUT: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_millis(50);

#[derive(Parser)]
struct Arguments {
    /// Rounds of each measurement; ours and BullMQ take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Jobs of the latency measurement.
    #[arg(long, default_value_t = 1_500)]
    latency_jobs: usize,
    /// Jobs per second of the latency measurement.
    #[arg(long, default_value_t = 100)]
    latency_rate: usize,
    /// Preloaded jobs of the throughput measurement.
    #[arg(long, default_value_t = 50_000)]
    drain_jobs: usize,
    /// Handlers at once in the throughput measurement.
    #[arg(long, default_value_t = 100)]
    concurrency: usize,
    /// A port that nothing listens on.
    #[arg(long, default_value_t = 26_379)]
    port: u16,
    /// Folder of `bullmq.mjs` and its `node_modules`.
    #[arg(long, default_value = "loadtest/queue")]
    peer: PathBuf,
}

/// Figures of one system over all rounds.
#[derive(Default)]
struct Figures {
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    push_per_second: Vec<f64>,
    drain_per_second: Vec<f64>,
}

impl Figures {
    fn add(&mut self, result: &Value) -> anyhow::Result<()> {
        for (name, values) in [
            ("p50_ms", &mut self.p50_ms),
            ("p99_ms", &mut self.p99_ms),
            ("push_per_second", &mut self.push_per_second),
            ("drain_per_second", &mut self.drain_per_second),
        ] {
            if let Some(value) = result.get(name) {
                values.push(
                    value
                        .as_f64()
                        .with_context(|| format!("{name} is a number"))?,
                );
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let redis = PrivateRedis::start(arguments.port).await?;
    let (mut ours, mut peer) = (Figures::default(), Figures::default());
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        ours.add(&latency(&redis.url, &arguments).await?)?;
        peer.add(&bullmq(&redis.url, "latency", &arguments)?)?;
        ours.add(&drain(&redis.url, &arguments).await?)?;
        peer.add(&bullmq(&redis.url, "drain", &arguments)?)?;
    }
    println!(
        "medians of {} rounds          ours       BullMQ     ratio",
        arguments.rounds
    );
    let lower_is_better = [
        ("push to start p50, ms  ", ours.p50_ms, peer.p50_ms),
        ("push to start p99, ms  ", ours.p99_ms, peer.p99_ms),
    ];
    for (name, ours, peer) in lower_is_better {
        let (ours, peer) = (median(ours), median(peer));
        println!("{name}  {ours:>10.2}  {peer:>10.2}  {:>6.2}x", peer / ours);
    }
    let higher_is_better = [
        (
            "push, jobs/s           ",
            ours.push_per_second,
            peer.push_per_second,
        ),
        (
            "drain, jobs/s          ",
            ours.drain_per_second,
            peer.drain_per_second,
        ),
    ];
    for (name, ours, peer) in higher_is_better {
        let (ours, peer) = (median(ours), median(peer));
        println!("{name}  {ours:>10.0}  {peer:>10.0}  {:>6.2}x", ours / peer);
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn new_queue(url: &str) -> anyhow::Result<Queue> {
    Ok(Queue::connect(url, &format!("hop-{}", Uuid::new_v4().simple())).await?)
}

fn options(concurrency: usize) -> ServeOptions {
    ServeOptions {
        concurrency,
        batch: concurrency,
        ..ServeOptions::new(NAME, Lane::Fast, "hop")
    }
}

async fn latency(url: &str, arguments: &Arguments) -> anyhow::Result<Value> {
    let queue = new_queue(url).await?;
    let began = Instant::now();
    let (starts, mut started) = mpsc::unbounded_channel();
    let handler = move |delivery: Delivery| {
        let now = began.elapsed();
        if let Delivery::Wake(Wake {
            trace: Some(sent), ..
        }) = delivery
        {
            let _ = starts.send((now, sent));
        }
        std::future::ready(())
    };
    let serving = queue.serve(options(10), handler).await;
    let mut waits_ms = Vec::with_capacity(arguments.latency_jobs);
    let every = Duration::from_secs(1) / u32::try_from(arguments.latency_rate)?;
    let mut pace = tokio::time::interval(every);
    for _ in 0..arguments.latency_jobs {
        pace.tick().await;
        let wake = Wake {
            job: Uuid::new_v4(),
            fence: 0,
            trace: Some(began.elapsed().as_nanos().to_string()),
        };
        queue.push(NAME, Lane::Fast, &[wake]).await?;
    }
    while waits_ms.len() < arguments.latency_jobs {
        let (now, sent) = started.recv().await.context("the handler lives")?;
        let sent = Duration::from_nanos(sent.parse()?);
        waits_ms.push((now - sent).as_secs_f64() * 1_000.0);
    }
    serving.stop(Duration::from_secs(5)).await;
    queue.sweep_finished(NAME, usize::MAX).await?;
    waits_ms.sort_by(f64::total_cmp);
    let p99 = waits_ms[waits_ms.len() * 99 / 100];
    Ok(serde_json::json!({ "p50_ms": waits_ms[waits_ms.len() / 2], "p99_ms": p99 }))
}

async fn drain(url: &str, arguments: &Arguments) -> anyhow::Result<Value> {
    let queue = new_queue(url).await?;
    let jobs = arguments.drain_jobs;
    let pushing = Instant::now();
    for from in (0..jobs).step_by(500) {
        let wakes: Vec<Wake> = (from..jobs.min(from + 500))
            .map(|_| Wake {
                job: Uuid::new_v4(),
                fence: 0,
                trace: Some(pushing.elapsed().as_nanos().to_string()),
            })
            .collect();
        queue.push(NAME, Lane::Fast, &wakes).await?;
    }
    let push_per_second = per_second(jobs, pushing);

    let first = Arc::new(OnceLock::new());
    let started = Arc::new(AtomicUsize::new(0));
    let handler = {
        let (first, started) = (first.clone(), started.clone());
        move |_: Delivery| {
            first.get_or_init(Instant::now);
            started.fetch_add(1, Ordering::Relaxed);
            std::future::ready(())
        }
    };
    let serving = queue.serve(options(arguments.concurrency), handler).await;
    // What the scheduler does: the counterpart of BullMQ's removeOnComplete.
    let mut swept = 0;
    while swept < jobs {
        if started.load(Ordering::Relaxed) < jobs {
            sleep(SWEEP_EVERY).await;
        }
        swept += queue.sweep_finished(NAME, jobs).await?;
    }
    let first = *first.get().context("a job has started")?;
    let drain_per_second = per_second(jobs, first);
    if started.load(Ordering::Relaxed) != jobs {
        bail!("a job was started more than once");
    }
    serving.stop(Duration::from_secs(5)).await;
    Ok(serde_json::json!({
        "push_per_second": push_per_second,
        "drain_per_second": drain_per_second,
    }))
}

fn per_second(count: usize, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

fn bullmq(url: &str, mode: &str, arguments: &Arguments) -> anyhow::Result<Value> {
    let (jobs, rate) = match mode {
        "latency" => (arguments.latency_jobs, arguments.latency_rate),
        _ => (arguments.drain_jobs, arguments.concurrency),
    };
    let output = Command::new("node")
        .current_dir(&arguments.peer)
        .args(["bullmq.mjs", url, mode])
        .args([jobs.to_string(), rate.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("node is installed")?;
    serde_json::from_slice(&output.stdout).context("bullmq.mjs prints one JSON object")
}

struct PrivateRedis {
    child: Child,
    url: String,
    folder: PathBuf,
}

impl PrivateRedis {
    async fn start(port: u16) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("queue-hop-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder)?;
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
            ])
            .arg("--dir")
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is installed")?;
        let redis = Self {
            child,
            url: format!("redis://127.0.0.1:{port}"),
            folder,
        };
        let queue = new_queue(&redis.url).await?;
        let answers = async {
            while queue.ping().await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(REDIS_START_TIMEOUT, answers)
            .await
            .context("redis-server did not start")?;
        Ok(redis)
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
