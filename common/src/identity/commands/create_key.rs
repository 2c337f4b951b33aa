//! Creates a key, and its user if there is none of that name: an operator's doing.

use sqlx::PgPool;

use super::grant::{CreatedKey, Grant, NewKey, check_name};
use crate::identity::{IdentityError, KeyLimits, Permission, Sealer};
use crate::ids::UserId;

/// Creates a key for the user of that name.
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
    let mut tx = pool.begin().await?;
    let user: UserId = sqlx::query_scalar(
        "insert into users (id, name)
         values ($1, $2)
         on conflict on constraint users_name_key do update
         set name = excluded.name
         returning id",
    )
    .bind(UserId::new())
    .bind(user_name)
    .fetch_one(&mut *tx)
    .await?;
    let grant = Grant::by_operator(user, &new)?;
    let created = grant.issue_in_tx(&mut tx, sealer).await?;
    tx.commit().await?;
    Ok(created)
}
