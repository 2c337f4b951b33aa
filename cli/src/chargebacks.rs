//! `awareness chargebacks`: payments that cards ask back, and what is said to that.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use common::cards::{ReversalKind, ReversalState};
use common::ids::{ChargebackId, PaymentId};
use common::money::decimal_text;
use serde::Deserialize;
use serde_json::json;

use crate::age::since;
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// See which payments cards ask back, and answer disputes.
#[derive(Debug, Args)]
pub struct ChargebacksArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: ChargebacksCommand,
}

#[derive(Debug, Subcommand)]
enum ChargebacksCommand {
    /// List chargebacks, newest first, with until when each is answered.
    #[command(after_help = "Example: awareness chargebacks list --state open")]
    List {
        /// Only those in this state: inquiry, open, won or lost.
        #[arg(long, value_parser = state)]
        state: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=common::limits::PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long, value_name = "ID", value_parser = chargeback_id)]
        cursor: Option<ChargebackId>,
    },
    /// Answer a dispute, once and for good: the card provider gets the text.
    #[command(
        after_help = "Example: awareness chargebacks answer cbk_0199f7a03c1e7d528f4a5b6c7d8e9f01 --evidence 'downloaded twice'"
    )]
    Answer {
        /// The id that `chargebacks list` shows.
        #[arg(value_parser = chargeback_id)]
        id: ChargebackId,
        /// What speaks for the payment.
        #[arg(long)]
        evidence: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chargebacks {
    chargebacks: Vec<Chargeback>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chargeback {
    id: ChargebackId,
    payment_id: PaymentId,
    kind: ReversalKind,
    reason: String,
    amount_minor: i64,
    owed_minor: i64,
    currency: String,
    state: ReversalState,
    evidence_due_at: Option<DateTime<Utc>>,
    evidence_sent_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

fn chargeback_id(text: &str) -> Result<ChargebackId, String> {
    ChargebackId::parse(text).ok_or_else(|| "must look like cbk_<32 hex digits>".to_owned())
}

fn state(text: &str) -> Result<String, String> {
    match serde_json::from_value::<ReversalState>(text.into()) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("must be inquiry, open, won or lost".to_owned()),
    }
}

/// Runs the command.
pub async fn run(args: ChargebacksArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        ChargebacksCommand::List {
            state,
            limit,
            cursor,
        } => {
            let query = [
                ("state", state),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor.map(|id| id.to_string())),
            ];
            let data = api.get(&["chargebacks"], &query).await?;
            api.show(data, list)
        }
        ChargebacksCommand::Answer { id, evidence } => {
            let path = ["chargebacks", &id.to_string(), "evidence"];
            let data = api.post(&path, &json!({ "evidence": evidence })).await?;
            api.show(data, |_: serde_json::Value| {
                "The card provider will get it. `awareness chargebacks list` shows when it has.\n"
                    .to_owned()
            })
        }
    }
}

fn list(page: Chargebacks) -> String {
    if page.chargebacks.is_empty() {
        return "No chargeback matches.\n".to_owned();
    }
    let mut table = Table::new([
        "ID",
        "PAYMENT",
        "KIND",
        "REASON",
        "AMOUNT",
        "OWED",
        "STATE",
        "ANSWER BY",
        "ANSWERED",
        "MADE",
    ]);
    for chargeback in page.chargebacks {
        let day = |at: Option<DateTime<Utc>>| {
            at.map(|at| at.format("%Y-%m-%d").to_string())
                .unwrap_or_default()
        };
        table.row([
            chargeback.id.to_string(),
            chargeback.payment_id.to_string(),
            format!("{:?}", chargeback.kind).to_lowercase(),
            chargeback.reason,
            format!(
                "{} {}",
                decimal_text(chargeback.amount_minor),
                chargeback.currency
            ),
            decimal_text(chargeback.owed_minor),
            format!("{:?}", chargeback.state).to_lowercase(),
            day(chargeback.evidence_due_at),
            day(chargeback.evidence_sent_at),
            since(chargeback.created_at),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}
