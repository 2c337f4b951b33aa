//! `awareness tasks`: see the scheduler's periodic work, and run a part of it now.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::age::{since, since_if_any, span};
use crate::api::{Api, ApiArgs, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, visible};

/// Between two looks at a run.
const LOOK: Duration = Duration::from_millis(500);

/// See the scheduler's periodic work, and run a part of it now.
#[derive(Debug, Args)]
pub struct TasksArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: TasksCommand,
}

#[derive(Debug, Subcommand)]
enum TasksCommand {
    /// List all tasks: when each runs, and how its last run ended.
    #[command(after_help = "Example: awareness tasks list")]
    List,
    /// Run a task now, beside its schedule, and wait for its end.
    #[command(after_help = "Example: awareness tasks run sweep_words")]
    Run {
        /// Its name.
        task: String,
        /// How many seconds to wait for its end; the run is not affected.
        #[arg(long, default_value_t = 60)]
        wait: u64,
    },
}

#[derive(Debug, Deserialize)]
struct Tasks {
    tasks: Vec<Task>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    name: String,
    schedule: String,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    duration_seconds: Option<f64>,
    next_run_at: DateTime<Utc>,
    error: Option<String>,
    failures_in_a_row: u64,
}

#[derive(Debug, Deserialize)]
struct Requested {
    request: i64,
}

/// Runs the command.
pub async fn run(args: TasksArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        TasksCommand::List => {
            let data = api.get(&["tasks"], &[]).await?;
            api.show(data, |Tasks { tasks }| list(&tasks))
        }
        TasksCommand::Run { task, wait } => {
            let data = api.post(&["tasks", &task, "run"], &json!({})).await?;
            let Requested { request } = read(data)?;
            let wait = Duration::from_secs(wait);
            match tokio::time::timeout(wait, served(&api, &task, request)).await {
                Ok(row) => ended(&api, row?),
                Err(_) => Ok(not_ended(&task, wait)),
            }
        }
    }
}

/// The task, once a run that began after the request has ended.
async fn served(api: &Api, task: &str, request: i64) -> Result<Value, Failure> {
    loop {
        let data = api.get(&["tasks"], &[]).await?;
        let rows = data["tasks"].as_array().into_iter().flatten();
        let is_it = |row: &&Value| {
            row["name"] == task && row["requestsServed"].as_i64().is_some_and(|n| n >= request)
        };
        if let Some(row) = rows.into_iter().find(is_it) {
            return Ok(row.clone());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn ended(api: &Api, row: Value) -> Result<Output, Failure> {
    let has_succeeded = row["error"].is_null();
    let output = api.show(row, |task: Task| {
        let outcome = outcome(&task);
        format!("Task {}: {outcome}.\n", visible(&task.name))
    })?;
    Ok(output.complete(has_succeeded))
}

fn not_ended(task: &str, wait: Duration) -> Output {
    let remark = format!(
        "awareness: task {} is requested, but has not ended within {wait:?}; does a scheduler lead?\n",
        visible(task)
    );
    Output::new(String::new()).remark(remark).complete(false)
}

fn list(tasks: &[Task]) -> String {
    let mut table = Table::new(["TASK", "SCHEDULE", "STARTED", "OUTCOME", "NEXT"]);
    for task in tasks {
        table.row([
            task.name.clone(),
            task.schedule.clone(),
            since_if_any(task.started_at),
            outcome(task),
            since(task.next_run_at),
        ]);
    }
    table.to_string()
}

fn outcome(task: &Task) -> String {
    let took = task.duration_seconds.map(|seconds| {
        let millis = TimeDelta::milliseconds((seconds * 1000.0) as i64);
        if seconds < 1.0 {
            format!("{} ms", millis.num_milliseconds())
        } else {
            span(millis)
        }
    });
    match (&task.error, took) {
        _ if task.started_at.is_some() && task.finished_at.is_none() => "runs".to_owned(),
        (Some(error), _) if task.failures_in_a_row == 1 => format!("failed: {error}"),
        (Some(error), _) => format!("failed, {} in a row: {error}", task.failures_in_a_row),
        (None, Some(took)) => format!("succeeded in {took}"),
        (None, None) => String::new(),
    }
}
