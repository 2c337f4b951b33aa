//! `awareness queues`: see, pause and resume queues.

use std::time::Duration;

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::age::span;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, visible};

/// See, pause and resume queues.
#[derive(Debug, Args)]
pub struct QueuesArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: QueuesCommand,
}

#[derive(Debug, Subcommand)]
enum QueuesCommand {
    /// List all queues, the most urgent first: what PostgreSQL knows, what waits in Redis.
    #[command(after_help = "Example: awareness queues list")]
    List,
    /// Start nothing new from a queue; what runs may end.
    #[command(after_help = "Example: awareness queues pause webhook --reason 'receivers are down'")]
    Pause {
        /// Its name.
        queue: String,
        /// What other operators should know.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Let a queue run again.
    #[command(after_help = "Example: awareness queues resume webhook")]
    Resume {
        /// Its name.
        queue: String,
    },
}

#[derive(Debug, Deserialize)]
struct Queues {
    queues: Vec<Queue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    queue: String,
    paused: bool,
    pause_reason: Option<String>,
    due: u64,
    later: u64,
    running: u64,
    quarantined: u64,
    oldest_due_seconds: f64,
    /// None while Redis is away.
    redis: Option<RedisDepth>,
}

#[derive(Debug, Deserialize)]
struct RedisDepth {
    waiting: u64,
    inflight: u64,
    workers: u64,
}

/// Runs the command.
pub async fn run(args: QueuesArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        QueuesCommand::List => {
            let data = api.get(&["queues"], &[]).await?;
            api.show(data, |Queues { queues }| list(&queues))
        }
        QueuesCommand::Pause { queue, reason } => {
            let pause = json!({ "reason": reason });
            let data = api.post(&["queues", &queue, "pause"], &pause).await?;
            let queue = visible(&queue);
            api.show(data, |_: Value| format!("Queue {queue} is paused.\n"))
        }
        QueuesCommand::Resume { queue } => {
            let data = api.post(&["queues", &queue, "resume"], &json!({})).await?;
            let queue = visible(&queue);
            api.show(data, |_: Value| format!("Queue {queue} runs.\n"))
        }
    }
}

fn list(queues: &[Queue]) -> String {
    let mut table = Table::new([
        "QUEUE",
        "STATE",
        "DUE",
        "OLDEST",
        "LATER",
        "RUNNING",
        "QUARANTINED",
        "IN REDIS",
        "HELD",
        "WORKERS",
    ]);
    for queue in queues {
        let in_redis = |count: fn(&RedisDepth) -> u64| match &queue.redis {
            Some(depth) => count(depth).to_string(),
            None => "away".to_owned(),
        };
        table.row([
            queue.queue.clone(),
            state(queue),
            queue.due.to_string(),
            oldest(queue),
            queue.later.to_string(),
            queue.running.to_string(),
            queue.quarantined.to_string(),
            in_redis(|depth| depth.waiting),
            in_redis(|depth| depth.inflight),
            in_redis(|depth| depth.workers),
        ]);
    }
    table.to_string()
}

fn state(queue: &Queue) -> String {
    match (queue.paused, &queue.pause_reason) {
        (false, _) => "runs".to_owned(),
        (true, None) => "paused".to_owned(),
        (true, Some(reason)) => format!("paused: {reason}"),
    }
}

fn oldest(queue: &Queue) -> String {
    if queue.due == 0 {
        return String::new();
    }
    let age = Duration::try_from_secs_f64(queue.oldest_due_seconds).unwrap_or_default();
    span(TimeDelta::from_std(age).unwrap_or_default())
}
