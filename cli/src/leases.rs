//! `awareness leases`: list what an account has locked, and release it.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use crate::age::since;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// List and release the leases of an account.
#[derive(Debug, Args)]
pub struct LeasesArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: LeasesCommand,
}

#[derive(Debug, Subcommand)]
enum LeasesCommand {
    /// List the leases that an account holds, by resource.
    #[command(after_help = "Example: awareness leases list 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01")]
    List {
        /// The user's id.
        user: String,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=common::limits::PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Release a lease, whoever holds it: who waits for it is next, and writes under it are refused.
    #[command(
        after_help = "Example: awareness leases release 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01 nightly-import --reason 'its worker hangs'"
    )]
    Release {
        /// The user's id.
        user: String,
        /// The resource that `leases list` shows.
        resource: String,
        /// Why; it is kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leases {
    leases: Vec<Lease>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    resource: String,
    owner: Option<String>,
    fence: i64,
    acquired_at: DateTime<Utc>,
    expires_in_ms: i64,
    waiters: i64,
}

#[derive(Debug, Deserialize)]
struct Released {
    resource: String,
    fence: i64,
}

/// Runs the command.
pub async fn run(args: LeasesArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        LeasesCommand::List {
            user,
            limit,
            cursor,
        } => {
            let query = [("limit", Some(limit.to_string())), ("cursor", cursor)];
            let data = api.get(&["users", &user, "leases"], &query).await?;
            api.show(data, list)
        }
        LeasesCommand::Release {
            user,
            resource,
            reason,
        } => {
            let path = ["users", &user, "leases", &resource, "release"];
            let data = api.post(&path, &json!({ "reason": reason })).await?;
            api.show(data, |released: Released| {
                let Released { resource, fence } = released;
                format!("The lease of {resource} is released. Its fence is {fence}.\n")
            })
        }
    }
}

fn list(page: Leases) -> String {
    if page.leases.is_empty() {
        return "The account holds no lease.\n".to_owned();
    }
    let mut table = Table::new(["RESOURCE", "OWNER", "FENCE", "SINCE", "EXPIRES IN", "WAIT"]);
    for lease in page.leases {
        table.row([
            lease.resource,
            lease.owner.unwrap_or_default(),
            lease.fence.to_string(),
            since(lease.acquired_at),
            format!("{:.1} s", lease.expires_in_ms as f64 / 1000.0),
            lease.waiters.to_string(),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}
