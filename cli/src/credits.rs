//! `awareness credits`: give users credits, or take them.

use clap::{Args, Subcommand};
use common::ids::UserId;
use common::money::{DEFAULT_CURRENCY, decimal_text, parse_signed_minor};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::visible;
use crate::users;

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
        /// Id of the user, or the name, which is looked up.
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
    user_id: UserId,
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
    let user = match users::find(&api, &user).await? {
        Some(user) => user,
        None => return Err(Failure::UserUnknown(user)),
    };
    let credits = json!({
        "id": id.unwrap_or_else(Uuid::now_v7),
        "userId": user,
        "amount": decimal_text(amount_minor),
        "currency": currency,
        "reason": reason,
    });
    let data = api.post(&["credits"], &credits).await?;
    api.show(data, |given: Given| {
        format!(
            "{} {} of {} (user {}) {} (adjustment {}).\n",
            decimal_text(given.amount_minor),
            visible(&given.currency),
            visible(&given.user),
            given.user_id,
            if given.is_new {
                "are booked"
            } else {
                "were booked before; nothing moved now"
            },
            given.id,
        )
    })
}
