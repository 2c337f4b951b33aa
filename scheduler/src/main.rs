//! The scheduler's command line.

use anyhow::Context as _;
use clap::Parser;
use common::config::{Env, SchedulerConfig};
use scheduler::Scheduler;

/// Schedules the jobs of Awareness Market. Everything is set by environment variables, see .env.sample.
#[derive(Parser)]
#[command(name = "awareness-scheduler", version)]
struct Arguments;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Arguments::parse();
    let _logs = common::telemetry::init_logs();
    let mut env = Env::process();
    let config = SchedulerConfig::from_env(&mut env);
    let config = env.finish(config)?;
    let scheduler = Scheduler::start(&config)
        .await
        .context("the scheduler could not start")?;
    common::shutdown::requested().await;
    scheduler.stop().await;
    Ok(())
}
