//! Fairness between tenants, through a whole stack of processes: how long the small work of a quiet
//! tenant waits, alone and while another tenant floods the same queues.
//!
//! 1. Uploads: a small package while ten packages of the largest size are being validated.
//! 2. Webhooks: an event for a healthy endpoint while six hundred endpoints of one account answer
//!    slowly, and while they hang.
//!
//! Prints p50, p99 and the worst of each. `--wait-seconds-max` makes the exit code say whether the quiet
//! tenant ever waited longer.

mod packages;
mod uploads;
mod webhooks;

use std::path::PathBuf;

use anyhow::ensure;
use clap::Parser;
use common::outbox::Outbox;
use common::queue::Queue;
use local::stack::Stack;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Large uploads of the greedy tenant
    #[arg(long, default_value_t = 10)]
    uploads: usize,
    /// Slow endpoints of the greedy tenant
    #[arg(long, default_value_t = 600)]
    endpoints: i64,
    /// Events for the quiet tenants in each run
    #[arg(long, default_value_t = 150)]
    events: i64,
    /// Fails if the quiet tenant waited longer than this, in seconds
    #[arg(long)]
    wait_seconds_max: Option<f64>,
}

/// The prefix of the stack's keys: the default.
const REDIS_PREFIX: &str = "awareness";

/// What the runs share.
struct Bench {
    stack: Stack,
    pool: PgPool,
    outbox: Outbox,
}

/// Waits of one kind, in seconds.
struct Waits {
    what: String,
    seconds: Vec<f64>,
}

impl Waits {
    fn new(what: &str, mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Self {
            what: what.to_owned(),
            seconds,
        }
    }

    fn at(&self, share: f64) -> f64 {
        let last = self.seconds.len().saturating_sub(1);
        let place = (self.seconds.len() as f64 * share) as usize;
        self.seconds
            .get(place.min(last))
            .copied()
            .unwrap_or(f64::NAN)
    }

    fn worst(&self) -> f64 {
        self.at(1.0)
    }

    fn print(&self) {
        println!(
            "{:<68} {:>5} {:>9.3} {:>9.3} {:>9.3}",
            self.what,
            self.seconds.len(),
            self.at(0.5),
            self.at(0.99),
            self.worst()
        );
    }
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
    let stack = loadtest::start_stack(&folder).await?;
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect(&stack.database_url)
        .await?;
    let queue = Queue::connect(&stack.redis_url, REDIS_PREFIX).await?;
    let bench = Bench {
        outbox: Outbox::new(pool.clone(), queue),
        pool,
        stack,
    };
    let result = measure(&bench, &arguments).await;
    bench.pool.close().await;
    bench.stack.stop().await;
    let worst = result?;
    if let Some(seconds_max) = arguments.wait_seconds_max {
        ensure!(
            worst <= seconds_max,
            "a quiet tenant waited {worst:.3} s, longer than {seconds_max} s"
        );
    }
    Ok(())
}

/// Runs all and answers the longest wait of the quiet tenant, in seconds.
async fn measure(bench: &Bench, arguments: &Arguments) -> anyhow::Result<f64> {
    println!(
        "{:<68} {:>5} {:>9} {:>9} {:>9}",
        "seconds", "count", "p50", "p99", "worst"
    );
    let mut worst = 0.0_f64;
    if arguments.uploads > 0 {
        worst = worst.max(uploads::measure(bench, arguments.uploads).await?);
    }
    if arguments.endpoints > 0 {
        worst = worst.max(webhooks::measure(bench, arguments.endpoints, arguments.events).await?);
    }
    Ok(worst)
}
