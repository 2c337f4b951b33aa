//! `awareness payouts`: what sellers asked for, and what became of it.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use common::money::decimal_text;
use common::payouts::PayoutState;
use serde::Deserialize;
use serde_json::json;

use crate::age::since;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, excerpt};

/// What a table shows of a reference or a reason; `--json` shows all.
const REMARK_CHARS_MAX: usize = 60;

/// List payouts, and say what became of them.
#[derive(Debug, Args)]
pub struct PayoutsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: PayoutsCommand,
}

#[derive(Debug, Subcommand)]
enum PayoutsCommand {
    /// List payouts, newest first.
    #[command(after_help = "Example: awareness payouts list --state requested")]
    List {
        /// Only those in this state: requested, paid or returned.
        #[arg(long)]
        state: Option<PayoutState>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=common::limits::PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long, value_name = "ID")]
        cursor: Option<String>,
    },
    /// Note that a payout left the house.
    #[command(
        after_help = "Example: awareness payouts paid out_0199f7a03c1e7d528f4a5b6c7d8e9f01 --reference 'transfer 4711'"
    )]
    Paid {
        /// The id that `payouts list` shows.
        id: String,
        /// What the bank calls it; its seller reads it.
        #[arg(long)]
        reference: String,
    },
    /// Give a payout that could not be paid back to its seller's earnings.
    #[command(
        after_help = "Example: awareness payouts return out_0199f7a03c1e7d528f4a5b6c7d8e9f01 --reason 'account closed'"
    )]
    Return {
        /// The id that `payouts list` shows.
        id: String,
        /// Why; its seller reads it.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payouts {
    payouts: Vec<Payout>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payout {
    payout_id: String,
    seller_id: String,
    status: PayoutState,
    amount_minor: i64,
    currency: String,
    reference: Option<String>,
    reason: Option<String>,
    timestamps: Timestamps,
}

#[derive(Debug, Deserialize)]
struct Timestamps {
    requested: DateTime<Utc>,
}

/// Runs the command.
pub async fn run(args: PayoutsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let ended = |payout: Payout| format!("Payout {} is {}.\n", payout.payout_id, payout.status);
    match args.command {
        PayoutsCommand::List {
            state,
            limit,
            cursor,
        } => {
            let query = [
                ("state", state.map(|state| state.to_string())),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            let data = api.get(&["payouts"], &query).await?;
            api.show(data, list)
        }
        PayoutsCommand::Paid { id, reference } => {
            let body = json!({ "reference": reference });
            let data = api.post(&["payouts", &id, "paid"], &body).await?;
            api.show(data, ended)
        }
        PayoutsCommand::Return { id, reason } => {
            let body = json!({ "reason": reason });
            let data = api.post(&["payouts", &id, "returned"], &body).await?;
            api.show(data, ended)
        }
    }
}

fn list(page: Payouts) -> String {
    if page.payouts.is_empty() {
        return "No payout matches.\n".to_owned();
    }
    let mut table = Table::new(["ID", "STATE", "AMOUNT", "REQUESTED", "SELLER", "REMARK"]);
    for payout in page.payouts {
        let remark = payout.reference.or(payout.reason).unwrap_or_default();
        table.row([
            payout.payout_id,
            payout.status.to_string(),
            format!("{} {}", decimal_text(payout.amount_minor), payout.currency),
            since(payout.timestamps.requested),
            payout.seller_id,
            excerpt(&remark, REMARK_CHARS_MAX),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}
