//! Creates a key, and its user if that one is new: an operator's or the launcher's doing.

use sqlx::{PgConnection, PgPool};

use super::grant::{CreatedKey, Grant, NewKey, check_name};
use crate::db::{self, constraint_of};
use crate::identity::{IdentityError, KeyLimits, Permission, Sealer, likeness_of};
use crate::ids::UserId;

/// The constraint that a key's user exists.
const OWNER_EXISTS: &str = "api_keys_user_id_fkey";

/// Whose key an operator makes.
#[derive(Debug, Clone, Copy)]
pub enum KeyOwner<'a> {
    /// A user who exists, by id: names look alike.
    User(UserId),
    /// A user who is made with the key, under a name that nobody has.
    New(&'a str),
}

/// Creates a key: an operator's doing.
pub async fn create_key_for(
    pool: &PgPool,
    sealer: &Sealer,
    owner: KeyOwner<'_>,
    key_name: &str,
    permissions: &[Permission],
) -> Result<CreatedKey, IdentityError> {
    let new = NewKey {
        name: key_name,
        permissions,
        limits: KeyLimits::default(),
    };
    let mut tx = db::begin(pool).await?;
    let user = match owner {
        KeyOwner::User(user) => user,
        KeyOwner::New(name) => insert_user_in_tx(&mut tx, name).await?,
    };
    let grant = Grant::by_operator(user, &new)?;
    let created = grant
        .issue_in_tx(&mut tx, sealer)
        .await
        .map_err(|error| match error {
            IdentityError::Database(error) if constraint_of(&error) == Some(OWNER_EXISTS) => {
                IdentityError::UserUnknown
            }
            error => error,
        })?;
    db::commit(tx).await?;
    Ok(created)
}

async fn insert_user_in_tx(conn: &mut PgConnection, name: &str) -> Result<UserId, IdentityError> {
    check_name(name)?;
    let user = UserId::new();
    sqlx::query("insert into users (id, name, likeness) values ($1, $2, $3)")
        .bind(user)
        .bind(name)
        .bind(likeness_of(name))
        .execute(conn)
        .await
        .map_err(|error| match constraint_of(&error) {
            Some("users_name_key" | "users_likeness_key") => IdentityError::NameTaken,
            _ => error.into(),
        })?;
    Ok(user)
}

/// Creates a key for the user of that name, who is made if there is none: the launcher's doing, before
/// anybody else has names.
pub async fn create_key(
    pool: &PgPool,
    sealer: &Sealer,
    user_name: &str,
    key_name: &str,
    permissions: &[Permission],
) -> Result<CreatedKey, IdentityError> {
    check_name(user_name)?;
    let new = NewKey {
        name: key_name,
        permissions,
        limits: KeyLimits::default(),
    };
    let mut tx = db::begin(pool).await?;
    let user: UserId = sqlx::query_scalar(
        "insert into users (id, name, likeness)
         values ($1, $2, $3)
         on conflict on constraint users_name_key do update
         set name = excluded.name
         returning id",
    )
    .bind(UserId::new())
    .bind(user_name)
    .bind(likeness_of(user_name))
    .fetch_one(&mut *tx)
    .await?;
    let grant = Grant::by_operator(user, &new)?;
    let created = grant.issue_in_tx(&mut tx, sealer).await?;
    db::commit(tx).await?;
    Ok(created)
}
