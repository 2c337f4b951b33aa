//! The worker's command line.

use anyhow::{Context as _, anyhow};
use clap::Parser;
use common::config::{Env, WorkerConfig};
use common::jobs::QueueSpec;
use worker::Worker;

/// Runs the jobs of Awareness Market. Everything else is set by environment variables, see .env.sample.
#[derive(Parser)]
#[command(name = "awareness-worker", version)]
struct Arguments {
    /// Which queues to serve, separated by commas; all of them if not given.
    #[arg(long, value_delimiter = ',', env = "WORKER_QUEUES")]
    queues: Vec<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let _logs = common::telemetry::init_logs();
    let mut env = Env::process();
    let config = WorkerConfig::from_env(&mut env);
    let config = env.finish(config)?;
    let queues = queues(&arguments.queues)?;
    let worker = Worker::start(&config, &queues)
        .await
        .context("the worker could not start")?;
    common::shutdown::requested().await;
    worker.drain().await;
    Ok(())
}

fn queues(names: &[String]) -> anyhow::Result<Vec<&'static QueueSpec>> {
    // `WORKER_QUEUES=` arrives as one empty name; an empty value counts as absent.
    if names.iter().all(String::is_empty) {
        return Ok(QueueSpec::ALL.to_vec());
    }
    let known = || QueueSpec::ALL.map(|queue| queue.name).join(", ");
    names
        .iter()
        .map(|name| {
            QueueSpec::find(name)
                .ok_or_else(|| anyhow!("no queue is called {name}; there are {}", known()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_means_all_queues() {
        let count = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            queues(&names).map(|queues| queues.len()).ok()
        };
        assert_eq!(count(&[]), Some(QueueSpec::ALL.len()));
        assert_eq!(count(&[""]), Some(QueueSpec::ALL.len()));
        assert_eq!(count(&["publish"]), Some(1));
        assert_eq!(count(&["publish", "no-such"]), None);
    }
}
