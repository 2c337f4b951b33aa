//! The API's command line.

use anyhow::Context as _;
use api::Api;
use clap::Parser;
use common::config::{ApiConfig, Env};
use mimalloc::MiMalloc;

/// A request is many small allocations, and the system's allocator took a third of its time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Serves the API of Awareness Market. Everything is set by environment variables, see .env.sample.
#[derive(Parser)]
#[command(name = "awareness-api", version)]
struct Arguments;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Arguments::parse();
    let _logs = common::telemetry::init_logs();
    let mut env = Env::process();
    let config = ApiConfig::from_env(&mut env);
    let config = env.finish(config)?;
    let api = Api::start(&config)
        .await
        .context("the API could not start")?;
    common::shutdown::requested().await;
    api.drain().await;
    Ok(())
}
