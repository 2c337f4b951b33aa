//! `awareness users`: block users, and let them in again.

use clap::{Args, Subcommand};
use common::ids::UserId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, ApiArgs, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::visible;

/// Block users and let them in again.
#[derive(Debug, Args)]
pub struct UsersArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Debug, Subcommand)]
enum UsersCommand {
    /// Block a user: nothing of theirs is sold, bought, paid out or sent until the block is undone.
    #[command(
        after_help = "Example: awareness users block 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01 --reason fraud"
    )]
    Block {
        /// The user's id.
        id: String,
        /// Why; it is kept in the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Let a user in again: all is as it was before the block.
    #[command(
        after_help = "Example: awareness users unblock 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01 --reason cleared"
    )]
    Unblock {
        /// The user's id.
        id: String,
        /// Why; it is kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}

/// Runs the command.
pub async fn run(args: UsersArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    let (id, verb, reason) = match args.command {
        UsersCommand::Block { id, reason } => (id, "block", reason),
        UsersCommand::Unblock { id, reason } => (id, "unblock", reason),
    };
    let path = ["users", &id, verb];
    let data = api.post(&path, &json!({ "reason": reason })).await?;
    let id = visible(&id);
    api.show(data, |_: Value| format!("User {id} is {verb}ed.\n"))
}

#[derive(Debug, Deserialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    user_id: UserId,
}

/// The user of that id or name, if there is one of that name. Names look alike, so what moves money or makes
/// keys is sent with an id; a name is looked up to the letter, and shown with its id.
pub async fn find(api: &Api, id_or_name: &str) -> Result<Option<UserId>, Failure> {
    if let Ok(id) = id_or_name.parse() {
        return Ok(Some(id));
    }
    let query = [("exactName", Some(id_or_name.to_owned()))];
    let Users { users } = read(api.get(&["users"], &query).await?)?;
    Ok(users.first().map(|user| user.user_id))
}
