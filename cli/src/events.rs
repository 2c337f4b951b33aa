//! `awareness events`: replay streams, prove that the rows are what their events say, and show whose consumers are behind.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::age::span;
use crate::api::{Api, ApiArgs, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// Replay streams of events, compare rows with them, and show whose consumers are behind.
#[derive(Debug, Args)]
pub struct EventsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: EventsCommand,
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    /// Rebuild the state of a stream from its events.
    #[command(
        after_help = "Example: awareness events replay purchase-pur_0123456789abcdef0123456789abcdef --verify"
    )]
    Replay {
        /// The name of the stream.
        stream: String,
        /// The version whose state is wanted, instead of the newest.
        #[arg(long)]
        up_to_version: Option<i64>,
        /// The owner, if it is a client's stream.
        #[arg(long)]
        user_id: Option<String>,
        /// Compare it with the row. Exit status 1 if they differ.
        #[arg(long, conflicts_with_all = ["up_to_version", "user_id"])]
        verify: bool,
    },
    /// Compare all uploads, purchases, tasks and disputes with their events. Exit status 1 if any differs.
    #[command(after_help = "Example: awareness events verify")]
    Verify,
    /// List subscriptions to the event log, the one that is furthest behind first.
    #[command(after_help = "Example: awareness events subscriptions --limit 5")]
    Subscriptions {
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=common::limits::CLIENT_PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long)]
        cursor: Option<String>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replayed {
    version: i64,
    state: Map<String, Value>,
    snapshot_version: Option<i64>,
    events_replayed: usize,
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    version: i64,
    event_type: String,
    request_id: String,
    job_id: Option<String>,
    occurred_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    is_sound: bool,
    compared: u64,
    differences: Vec<Difference>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Difference {
    stream: String,
    fact: String,
    of_row: Value,
    of_events: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscriptions {
    subscriptions: Vec<Subscription>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    user_id: String,
    name: String,
    events_behind: i64,
    events_handed_out: i64,
    events_parked: i64,
    lag_seconds: f64,
}

/// Runs the command.
pub async fn run(args: EventsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        EventsCommand::Replay {
            stream,
            verify: true,
            ..
        } => verify(&api, Some(&stream)).await,
        EventsCommand::Replay {
            stream,
            up_to_version,
            user_id,
            ..
        } => {
            let query = [
                ("version", up_to_version.map(|version| version.to_string())),
                ("userId", user_id),
            ];
            let data = api.get(&["event-streams", &stream], &query).await?;
            api.show(data, replayed)
        }
        EventsCommand::Verify => verify(&api, None).await,
        EventsCommand::Subscriptions { limit, cursor } => {
            let query = [("limit", Some(limit.to_string())), ("cursor", cursor)];
            let data = api.get(&["event-subscriptions"], &query).await?;
            api.show(data, subscriptions)
        }
    }
}

async fn verify(api: &Api, stream: Option<&str>) -> Result<Output, Failure> {
    let data = api
        .post(&["events", "verify"], &json!({ "stream": stream }))
        .await?;
    let verified: Verified = read(data.clone())?;
    let output = api.show(data, |verified: Verified| differences(&verified))?;
    Ok(output.complete(verified.is_sound))
}

fn replayed(replayed: Replayed) -> String {
    let began = match replayed.snapshot_version {
        Some(version) => format!("the snapshot of version {version} and "),
        None => String::new(),
    };
    let mut events = Table::new(["VERSION", "TYPE", "AT", "REQUEST", "JOB"]);
    for event in replayed.events.iter().rev() {
        events.row([
            event.version.to_string(),
            event.event_type.clone(),
            event
                .occurred_at
                .to_rfc3339_opts(SecondsFormat::Millis, true),
            event.request_id.clone(),
            event.job_id.clone().unwrap_or_default(),
        ]);
    }
    let facts = replayed.state.iter();
    let table = Table::of_pairs(facts.map(|(fact, value)| (fact.as_str(), text(value))));
    format!(
        "{events}\n{table}Version {}, from {began}{} event(s).\n",
        replayed.version, replayed.events_replayed
    )
}

fn differences(verified: &Verified) -> String {
    let mut table = Table::new(["STREAM", "FACT", "ROW", "EVENTS"]);
    for difference in &verified.differences {
        table.row([
            difference.stream.clone(),
            difference.fact.clone(),
            text(&difference.of_row),
            text(&difference.of_events),
        ]);
    }
    let verdict = match verified.differences.len() {
        0 => "All are what their events say".to_owned(),
        count => format!("{count} FACT(S) DIFFER"),
    };
    format!("{table}{verdict}: {} row(s) compared.\n", verified.compared)
}

fn subscriptions(page: Subscriptions) -> String {
    if page.subscriptions.is_empty() {
        return "There is no subscription.\n".to_owned();
    }
    let mut table = Table::new(["USER", "NAME", "LAG", "BEHIND", "HANDED OUT", "PARKED"]);
    for row in page.subscriptions {
        table.row([
            row.user_id,
            row.name,
            span(TimeDelta::milliseconds((row.lag_seconds * 1_000.0) as i64)),
            row.events_behind.to_string(),
            row.events_handed_out.to_string(),
            row.events_parked.to_string(),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
