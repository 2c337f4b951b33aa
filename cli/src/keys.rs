//! `awareness keys`: make, list and revoke API keys.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use common::identity::Permission;
use common::ids::{ApiKeyId, UserId};
use serde::Deserialize;
use serde_json::json;

use crate::age::{since, since_if_any};
use crate::api::{Api, ApiArgs, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, visible};
use crate::users;

/// Make, list and revoke API keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key, and its user if there is none of that name. The key is shown this once: alone
    /// on standard output.
    #[command(
        after_help = "Example: key=$(awareness keys create --user acme --name ci --permissions upload,download)"
    )]
    Create {
        /// Id of the user whom the key acts for, or the name, which is looked up.
        #[arg(long)]
        user: String,
        /// What the key is for.
        #[arg(long)]
        name: String,
        /// What it allows, of upload, purchase and download.
        #[arg(
            long,
            required = true,
            value_delimiter = ',',
            value_name = "PERMISSION,…"
        )]
        permissions: Vec<Permission>,
    },
    /// List keys, newest first; never the keys themselves.
    #[command(after_help = "Example: awareness keys list --user acme")]
    List {
        /// Only this user's.
        #[arg(long)]
        user: Option<String>,
    },
    /// Refuse a key from its next request on.
    #[command(after_help = "Example: awareness keys revoke 0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01")]
    Revoke {
        /// The id that `keys list` shows.
        id: ApiKeyId,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: ApiKeyId,
    user: String,
    user_id: UserId,
    api_key: String,
}

#[derive(Debug, Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: ApiKeyId,
    user_name: String,
    name: String,
    prefix: String,
    permissions: Vec<String>,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// Runs the command.
pub async fn run(args: KeysArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        KeysCommand::Create {
            user,
            name,
            permissions,
        } => {
            let known = users::find(&api, &user).await?;
            let new = match known {
                Some(user) => json!({ "userId": user, "name": name, "permissions": permissions }),
                None => json!({ "user": user, "name": name, "permissions": permissions }),
            };
            let data = api.post(&["keys"], &new).await?;
            let created: Created = read(data.clone())?;
            let remark = format!(
                "Key {} of {} ({} {}). Keep it: it is shown only once.\n",
                created.id,
                visible(&created.user),
                if known.is_some() { "user" } else { "new user" },
                created.user_id,
            );
            let output = api.show(data, |created: Created| created.api_key + "\n")?;
            Ok(output.remark(remark))
        }
        KeysCommand::List { user } => {
            let data = api.get(&["keys"], &[("user", user)]).await?;
            api.show(data, |Keys { keys }| list(&keys))
        }
        KeysCommand::Revoke { id } => {
            let data = api.delete(&["keys", &id.to_string()]).await?;
            api.show(data, |_: serde_json::Value| {
                format!("Key {id} is revoked.\n")
            })
        }
    }
}

fn list(keys: &[Key]) -> String {
    let mut table = Table::new([
        "ID",
        "USER",
        "NAME",
        "KEY",
        "PERMISSIONS",
        "MADE",
        "LAST USED",
        "REVOKED",
    ]);
    for key in keys {
        table.row([
            key.id.to_string(),
            key.user_name.clone(),
            key.name.clone(),
            format!("{}…", key.prefix),
            key.permissions.join(","),
            since(key.created_at),
            since_if_any(key.last_used_at),
            since_if_any(key.revoked_at),
        ]);
    }
    table.to_string()
}
