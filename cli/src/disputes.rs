//! `awareness disputes`: list, show and decide disputes.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use common::disputes::{Decision, DisputeState};
use common::money::decimal_text;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::age::{since, since_if_any};
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// List, inspect and decide disputes.
#[derive(Debug, Args)]
pub struct DisputesArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: DisputesCommand,
}

#[derive(Debug, Subcommand)]
enum DisputesCommand {
    /// List disputes, newest first.
    #[command(after_help = "Example: awareness disputes list --state measured")]
    List {
        /// Only those in this state: open, measured, resolved_refund or resolved_release.
        #[arg(long)]
        state: Option<DisputeState>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=common::limits::PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long, value_name = "ID")]
        cursor: Option<String>,
    },
    /// Show a dispute: the claim, what was measured, and how it was decided.
    #[command(after_help = "Example: awareness disputes show dis_0199f7a03c1e7d528f4a5b6c7d8e9f01")]
    Show {
        /// The id that `disputes list` shows.
        id: String,
    },
    /// Decide a dispute: refund the buyer, or release the seller's share. The first decision stands.
    #[command(
        after_help = "Example: awareness disputes decide dis_0199f7a03c1e7d528f4a5b6c7d8e9f01 release --note 'as described'"
    )]
    Decide {
        /// The id that `disputes list` shows.
        id: String,
        /// refund or release.
        decision: Decision,
        /// Why; buyer and seller read it.
        #[arg(long)]
        note: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disputes {
    disputes: Vec<Row>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    purchase_id: String,
    reason: String,
    state: DisputeState,
    finding: Option<String>,
    price_minor: i64,
    currency: String,
    opened_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    dispute_id: String,
    status: DisputeState,
    purchase_id: String,
    package_id: String,
    reason: String,
    description: String,
    price_minor: i64,
    frozen_minor: i64,
    currency: String,
    finding: Option<String>,
    measurement: Option<Value>,
    decided_by: Option<String>,
    note: Option<String>,
    timestamps: Timestamps,
}

#[derive(Debug, Deserialize)]
struct Timestamps {
    opened: DateTime<Utc>,
    measured: Option<DateTime<Utc>>,
    resolved: Option<DateTime<Utc>>,
}

/// Runs the command.
pub async fn run(args: DisputesArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        DisputesCommand::List {
            state,
            limit,
            cursor,
        } => {
            let query = [
                ("state", state.map(|state| state.to_string())),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            let data = api.get(&["disputes"], &query).await?;
            api.show(data, list)
        }
        DisputesCommand::Show { id } => {
            let data = api.get(&["disputes", &id], &[]).await?;
            api.show(data, show)
        }
        DisputesCommand::Decide { id, decision, note } => {
            let body = json!({ "decision": decision, "note": note });
            let data = api.post(&["disputes", &id, "decide"], &body).await?;
            api.show(data, |dispute: Detail| {
                format!("Dispute {} is {}.\n", dispute.dispute_id, dispute.status)
            })
        }
    }
}

fn list(page: Disputes) -> String {
    if page.disputes.is_empty() {
        return "No dispute matches.\n".to_owned();
    }
    let mut table = Table::new([
        "ID", "STATE", "REASON", "FINDING", "PRICE", "OPENED", "PURCHASE",
    ]);
    for row in page.disputes {
        table.row([
            row.id,
            row.state.to_string(),
            row.reason,
            row.finding.unwrap_or_default(),
            format!("{} {}", decimal_text(row.price_minor), row.currency),
            since(row.opened_at),
            row.purchase_id,
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}

fn show(dispute: Detail) -> String {
    let money = |minor| format!("{} {}", decimal_text(minor), dispute.currency);
    let epsilon = dispute
        .measurement
        .as_ref()
        .and_then(|report| report.pointer("/epsilon/measured")?.as_f64());
    let facts = [
        ("dispute", dispute.dispute_id),
        ("state", dispute.status.to_string()),
        ("purchase", dispute.purchase_id),
        ("package", dispute.package_id),
        ("price", money(dispute.price_minor)),
        ("frozen", money(dispute.frozen_minor)),
        ("reason", dispute.reason),
        ("description", dispute.description),
        ("finding", dispute.finding.unwrap_or_default()),
        (
            "epsilon",
            epsilon.map_or_else(String::new, |epsilon| format!("{epsilon:.4}")),
        ),
        ("decided by", dispute.decided_by.unwrap_or_default()),
        ("note", dispute.note.unwrap_or_default()),
        ("opened", since(dispute.timestamps.opened)),
        ("measured", since_if_any(dispute.timestamps.measured)),
        ("resolved", since_if_any(dispute.timestamps.resolved)),
    ];
    Table::of_pairs(facts).to_string()
}
