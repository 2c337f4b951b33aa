//! `awareness purchases`: refund what was bought, cancel what is not paid.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::visible;

/// Refund and cancel purchases.
#[derive(Debug, Args)]
pub struct PurchasesArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: PurchasesCommand,
}

#[derive(Debug, Subcommand)]
enum PurchasesCommand {
    /// Give the buyer the price back and take the grant away, whatever the purchase's age. This decides
    /// its dispute, if there is one.
    #[command(
        after_help = "Example: awareness purchases refund pur_0199f7a03c1e7d528f4a5b6c7d8e9f01 --reason 'sold by mistake'"
    )]
    Refund {
        /// The purchase's id.
        id: String,
        /// Why; buyer and seller read it.
        #[arg(long)]
        reason: String,
    },
    /// Cancel a purchase that waits for its payment: its supply is free at once, and its card is not
    /// charged any more.
    #[command(
        after_help = "Example: awareness purchases cancel pur_0199f7a03c1e7d528f4a5b6c7d8e9f01"
    )]
    Cancel {
        /// The purchase's id.
        id: String,
    },
}

/// Runs the command.
pub async fn run(args: PurchasesArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        PurchasesCommand::Refund { id, reason } => {
            let path = ["purchases", &id, "refund"];
            let data = api.post(&path, &json!({ "reason": reason })).await?;
            let id = visible(&id);
            api.show(data, |_: Value| format!("Purchase {id} is refunded.\n"))
        }
        PurchasesCommand::Cancel { id } => {
            let path = ["purchases", &id, "cancel"];
            let data = api.post(&path, &json!({})).await?;
            let id = visible(&id);
            api.show(data, |_: Value| format!("Purchase {id} is cancelled.\n"))
        }
    }
}
