//! `awareness packages`: take what must not be sold off the market, and put it back.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, ApiArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::visible;

/// Take packages down and restore them.
#[derive(Debug, Args)]
pub struct PackagesArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: PackagesCommand,
}

#[derive(Debug, Subcommand)]
enum PackagesCommand {
    /// Take a package off the market. Who bought it may go on downloading it, and may hand it back whatever
    /// its age.
    #[command(
        after_help = "Example: awareness packages take-down pkg_7f3a9c2e51d84b06a1c9e7d2f4b8a635 --reason 'a claim of copyright'"
    )]
    TakeDown {
        /// The package's id.
        id: String,
        /// Why; its seller and its buyers read it.
        #[arg(long)]
        reason: String,
        /// Nobody may download it any more, not even those who bought it.
        #[arg(long)]
        revoke_grants: bool,
    },
    /// Put a package back on the market, as it was.
    #[command(
        after_help = "Example: awareness packages restore pkg_7f3a9c2e51d84b06a1c9e7d2f4b8a635 --reason 'the claim was withdrawn'"
    )]
    Restore {
        /// The package's id.
        id: String,
        /// Why; its seller and its buyers read it.
        #[arg(long)]
        reason: String,
    },
}

/// Runs the command.
pub async fn run(args: PackagesArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let (id, verb, body, done) = match args.command {
        PackagesCommand::TakeDown {
            id,
            reason,
            revoke_grants,
        } => {
            let body = json!({ "reason": reason, "revokeGrants": revoke_grants });
            (id, "take-down", body, "taken down")
        }
        PackagesCommand::Restore { id, reason } => {
            (id, "restore", json!({ "reason": reason }), "restored")
        }
    };
    let data = api.post(&["packages", &id, verb], &body).await?;
    let id = visible(&id);
    api.show(data, |_: Value| format!("Package {id} is {done}.\n"))
}
