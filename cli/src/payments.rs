//! `awareness payments`: what became of card payments.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use common::ids::PaymentId;
use common::money::decimal_text;
use common::payments::PaymentState;
use serde::Deserialize;
use uuid::Uuid;

use crate::age::{since, since_if_any};
use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, excerpt};

/// What a list shows of a message; `payments show` shows all.
const MESSAGE_CHARS_MAX: usize = 80;

/// See what became of card payments.
#[derive(Debug, Args)]
pub struct PaymentsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: PaymentsCommand,
}

#[derive(Debug, Subcommand)]
enum PaymentsCommand {
    /// List payments, newest first.
    #[command(after_help = "Example: awareness payments list --state unknown")]
    List {
        /// Only those in this state, such as unknown, processing, succeeded or failed.
        #[arg(long)]
        state: Option<PaymentState>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=common::limits::PAGE_ROWS_MAX))]
        limit: i64,
        /// The `nextCursor` of an earlier page: the page that follows it.
        #[arg(long, value_name = "ID", value_parser = payment_id)]
        cursor: Option<String>,
    },
    /// Show a payment. Its jobs: `awareness jobs list --subject` with the subject that it shows.
    #[command(after_help = "Example: awareness payments show pay_0199f7a03c1e7d528f4a5b6c7d8e9f01")]
    Show {
        /// The id that `payments list` shows.
        #[arg(value_parser = payment_id)]
        id: PaymentId,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payments {
    payments: Vec<Payment>,
    /// The `--cursor` of the next page, if there may be one.
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    id: PaymentId,
    user: Uuid,
    purpose: String,
    purchase_id: Option<String>,
    amount_minor: i64,
    currency: String,
    state: PaymentState,
    provider_id: Option<String>,
    reason_code: Option<String>,
    decline_code: Option<String>,
    message: Option<String>,
    request_id: String,
    looks: u32,
    sent_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

fn payment_id(text: &str) -> Result<PaymentId, String> {
    PaymentId::parse(text).ok_or_else(|| "must look like pay_<32 hex digits>".to_owned())
}

/// Runs the command.
pub async fn run(args: PaymentsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        PaymentsCommand::List {
            state,
            limit,
            cursor,
        } => {
            let query = [
                ("state", state.map(|state| state.to_string())),
                ("limit", Some(limit.to_string())),
                ("cursor", cursor),
            ];
            let data = api.get(&["payments"], &query).await?;
            api.show(data, list)
        }
        PaymentsCommand::Show { id } => {
            let data = api.get(&["payments", &id.to_string()], &[]).await?;
            api.show(data, show)
        }
    }
}

fn list(page: Payments) -> String {
    if page.payments.is_empty() {
        return "No payment matches.\n".to_owned();
    }
    let mut table = Table::new(["ID", "FOR", "AMOUNT", "STATE", "REASON", "MADE", "MESSAGE"]);
    for payment in page.payments {
        table.row([
            payment.id.to_string(),
            payment.purchase_id.unwrap_or(payment.purpose),
            format!(
                "{} {}",
                decimal_text(payment.amount_minor),
                payment.currency
            ),
            payment.state.to_string(),
            payment.reason_code.unwrap_or_default(),
            since(payment.created_at),
            excerpt(&payment.message.unwrap_or_default(), MESSAGE_CHARS_MAX),
        ]);
    }
    match page.next_cursor {
        Some(next) => format!("{table}\nThe next page: --cursor {next}\n"),
        None => table.to_string(),
    }
}

fn show(payment: Payment) -> String {
    let pairs = [
        ("payment", payment.id.to_string()),
        ("subject", payment.id.0.to_string()),
        ("user", payment.user.to_string()),
        ("for", payment.purchase_id.unwrap_or(payment.purpose)),
        (
            "amount",
            format!(
                "{} {}",
                decimal_text(payment.amount_minor),
                payment.currency
            ),
        ),
        ("state", payment.state.to_string()),
        ("provider", payment.provider_id.unwrap_or_default()),
        ("reason", payment.reason_code.unwrap_or_default()),
        ("declined", payment.decline_code.unwrap_or_default()),
        ("message", payment.message.unwrap_or_default()),
        ("request", payment.request_id),
        ("looks", payment.looks.to_string()),
        ("made", since(payment.created_at)),
        ("sent", since_if_any(payment.sent_at)),
        ("expires", payment.expires_at.to_rfc3339()),
        ("finished", since_if_any(payment.finished_at)),
    ];
    Table::of_pairs(pairs).to_string()
}
