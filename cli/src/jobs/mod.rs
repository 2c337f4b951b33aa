//! `awareness jobs`: list, show, retry, cancel and replay jobs.

mod replay;
mod show;

use chrono::{DateTime, Utc};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use common::ids::JobId;
use common::jobs::{JobName, JobState, QueueSpec};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::age::since;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, excerpt};

/// What a list shows of a reason; `jobs show` shows all.
const REASON_CHARS_MAX: usize = 80;

/// List, inspect, retry and cancel jobs.
#[derive(Debug, Args)]
pub struct JobsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: JobsCommand,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// List jobs, newest first.
    #[command(after_help = "Example: awareness jobs list --queue webhook --state quarantined")]
    List {
        #[command(flatten)]
        kind: Kind,
        /// Only those in this state: ready, running, done, cancelled or quarantined.
        #[arg(long)]
        state: Option<JobState>,
        /// Only those about this upload or delivery (the id of its row).
        #[arg(long, value_name = "ID")]
        subject: Option<Uuid>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=common::limits::PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long, value_name = "ID")]
        cursor: Option<String>,
    },
    /// Show a job and what went wrong in its runs.
    #[command(after_help = "Example: awareness jobs show 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01")]
    Show {
        /// The id that `jobs list` shows.
        id: JobId,
    },
    /// Run a job that waits, was cancelled or is quarantined again now, with all its attempts.
    #[command(after_help = "Example: awareness jobs retry 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01")]
    Retry {
        /// The id that `jobs list` shows.
        id: JobId,
    },
    /// End a job: at once if it waits, within a second if it runs.
    #[command(
        after_help = "Example: awareness jobs cancel 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01 --reason 'asked for by its owner'"
    )]
    Cancel {
        /// The id that `jobs list` shows.
        id: JobId,
        /// Why; its owner reads it.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Retry every quarantined job that matches. Exit status 1 if some were refused.
    #[command(after_help = "Example: awareness jobs replay --name deliver_webhook")]
    Replay {
        #[command(flatten)]
        kind: Kind,
    },
}

/// Which kind of job.
#[derive(Debug, Args)]
struct Kind {
    /// Only those of this queue.
    #[arg(long, value_parser = PossibleValuesParser::new(QueueSpec::ALL.map(|queue| queue.name)))]
    queue: Option<String>,
    /// Only those of this name.
    #[arg(long, value_parser = PossibleValuesParser::new(JobName::ALL.map(JobName::as_str)))]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Jobs {
    jobs: Vec<Job>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: JobId,
    name: String,
    queue: String,
    state: JobState,
    subject: Uuid,
    attempts: u32,
    reason: Option<String>,
    created_at: DateTime<Utc>,
}

/// Runs the command.
pub async fn run(args: JobsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        JobsCommand::List {
            kind,
            state,
            subject,
            limit,
            cursor,
        } => {
            let query = [
                ("queue", kind.queue),
                ("name", kind.name),
                ("state", state.map(|state| state.to_string())),
                ("subject", subject.map(|subject| subject.to_string())),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            let data = api.get(&["jobs"], &query).await?;
            api.show(data, list)
        }
        JobsCommand::Show { id } => {
            let data = api.get(&["jobs", &id.to_string()], &[]).await?;
            api.show(data, show::job)
        }
        JobsCommand::Retry { id } => {
            let path = ["jobs", &id.to_string(), "retry"];
            let data = api.post(&path, &json!({})).await?;
            api.show(data, |job: Job| format!("Job {id} is {}.\n", job.state))
        }
        JobsCommand::Cancel { id, reason } => {
            let path = ["jobs", &id.to_string(), "cancel"];
            let data = api.post(&path, &json!({ "reason": reason })).await?;
            api.show(data, |job: Job| cancelled(&job))
        }
        JobsCommand::Replay { kind } => replay::run(&api, kind).await,
    }
}

fn list(page: Jobs) -> String {
    if page.jobs.is_empty() {
        return "No job matches.\n".to_owned();
    }
    let mut table = Table::new([
        "ID", "JOB", "QUEUE", "STATE", "FAILED", "MADE", "SUBJECT", "REASON",
    ]);
    for job in page.jobs {
        table.row([
            job.id.to_string(),
            job.name,
            job.queue,
            job.state.to_string(),
            job.attempts.to_string(),
            since(job.created_at),
            job.subject.to_string(),
            excerpt(&job.reason.unwrap_or_default(), REASON_CHARS_MAX),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}

fn cancelled(job: &Job) -> String {
    let id = job.id;
    match job.state {
        JobState::Running => format!("Job {id} runs; its worker stops it within a second.\n"),
        state => format!("Job {id} is {state}.\n"),
    }
}
