//! `awareness payloads`: bytes that were found in a queue and are no wake-up call.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::Value;

use crate::age::since;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, excerpt};

/// What a table shows of a payload; `--json` shows all that the API keeps.
const PAYLOAD_CHARS_MAX: usize = 60;

/// See and drop bytes that were found in a queue and are no wake-up call.
#[derive(Debug, Args)]
pub struct PayloadsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: PayloadsCommand,
}

#[derive(Debug, Subcommand)]
enum PayloadsCommand {
    /// List them, newest first, with the start of their bytes.
    #[command(after_help = "Example: awareness payloads list --json")]
    List,
    /// Forget one.
    #[command(after_help = "Example: awareness payloads drop 7")]
    Drop {
        /// The id that `payloads list` shows.
        id: i64,
    },
}

#[derive(Debug, Deserialize)]
struct Payloads {
    payloads: Vec<Payload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    id: i64,
    queue: String,
    task_id: String,
    payload: String,
    reason: String,
    seen_at: DateTime<Utc>,
}

/// Runs the command.
pub async fn run(args: PayloadsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        PayloadsCommand::List => {
            let data = api.get(&["payloads"], &[]).await?;
            api.show(data, |Payloads { payloads }| list(payloads))
        }
        PayloadsCommand::Drop { id } => {
            let data = api.delete(&["payloads", &id.to_string()]).await?;
            api.show(data, |_: Value| format!("Payload {id} is dropped.\n"))
        }
    }
}

fn list(payloads: Vec<Payload>) -> String {
    if payloads.is_empty() {
        return "There are none.\n".to_owned();
    }
    let mut table = Table::new(["ID", "QUEUE", "FOUND", "TASK", "REASON", "BYTES"]);
    for payload in payloads {
        table.row([
            payload.id.to_string(),
            payload.queue,
            since(payload.seen_at),
            payload.task_id,
            payload.reason,
            excerpt(&payload.payload, PAYLOAD_CHARS_MAX),
        ]);
    }
    table.to_string()
}
