//! `awareness credits`: give users credits, or take them.

use clap::{Args, Subcommand};
use common::money::{DEFAULT_CURRENCY, decimal_text, parse_signed_minor};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::visible;

/// Give users credits, or take them.
#[derive(Debug, Args)]
pub struct CreditsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: CreditsCommand,
}

#[derive(Debug, Subcommand)]
enum CreditsCommand {
    /// Give a user credits; a negative amount takes them. The reason is kept.
    #[command(
        after_help = "Example: awareness credits give acme 25.00 --reason \"goodwill, ticket 4711\""
    )]
    Give {
        /// Name of the user.
        user: String,
        /// How much, such as 25.00 or -3.50.
        #[arg(value_name = "AMOUNT", value_parser = parse_signed_minor, allow_negative_numbers = true)]
        amount_minor: i64,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Makes a repeat harmless: the same id has its effect once [default: a new one].
        #[arg(long)]
        id: Option<Uuid>,
        /// Of which currency.
        #[arg(long, default_value = DEFAULT_CURRENCY)]
        currency: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    id: Uuid,
    user: String,
    currency: String,
    amount_minor: i64,
    is_new: bool,
}

/// Runs the command.
pub async fn run(args: CreditsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let CreditsCommand::Give {
        user,
        amount_minor,
        reason,
        id,
        currency,
    } = args.command;
    let credits = json!({
        "id": id.unwrap_or_else(Uuid::now_v7),
        "user": user,
        "amount": decimal_text(amount_minor),
        "currency": currency,
        "reason": reason,
    });
    let data = api.post(&["credits"], &credits).await?;
    api.show(data, |given: Given| {
        format!(
            "{} {} of {} {} (adjustment {}).\n",
            decimal_text(given.amount_minor),
            visible(&given.currency),
            visible(&given.user),
            if given.is_new {
                "are booked"
            } else {
                "were booked before; nothing moved now"
            },
            given.id,
        )
    })
}
