//! Which user an operator means. Names look alike, so what moves money or makes keys is sent with an id; a
//! name is looked up to the letter, and shown with its id.

use common::ids::UserId;
use serde::Deserialize;

use crate::api::{Api, read};
use crate::failure::Failure;

#[derive(Debug, Deserialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    user_id: UserId,
}

/// The user of that id or name, if there is one of that name.
pub async fn find(api: &Api, id_or_name: &str) -> Result<Option<UserId>, Failure> {
    if let Ok(id) = id_or_name.parse() {
        return Ok(Some(id));
    }
    let query = [("exactName", Some(id_or_name.to_owned()))];
    let Users { users } = read(api.get(&["users"], &query).await?)?;
    Ok(users.first().map(|user| user.user_id))
}
