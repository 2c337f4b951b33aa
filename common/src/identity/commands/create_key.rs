//! Creates a key, and its user if there is none of that name.

use sqlx::PgPool;

use crate::identity::{ApiKey, IdentityError, Permission, Sealer};
use crate::ids::{ApiKeyId, UserId};

/// A key in clear, this once.
#[derive(Debug)]
pub struct CreatedKey {
    pub id: ApiKeyId,
    pub user: UserId,
    pub key: ApiKey,
}

/// Creates a key for the user of that name.
pub async fn create_key(
    pool: &PgPool,
    sealer: &Sealer,
    user_name: &str,
    key_name: &str,
    permissions: &[Permission],
) -> Result<CreatedKey, IdentityError> {
    for name in [user_name, key_name] {
        if !(1..=100).contains(&name.chars().count()) {
            return Err(IdentityError::Name);
        }
    }
    if permissions.is_empty() {
        return Err(IdentityError::Permissions);
    }
    let (id, key) = (ApiKeyId::new(), ApiKey::generate());
    let permissions: Vec<&str> = permissions
        .iter()
        .map(|permission| permission.as_str())
        .collect();
    let user = sqlx::query_scalar(
        "with owner as (
             insert into users (id, name)
             values ($1, $2)
             on conflict on constraint users_name_key do update
             set name = excluded.name
             returning id
         )
         insert into api_keys (id, user_id, name, prefix, digest, sealed, permissions)
         select $3, owner.id, $4, $5, $6, $7, $8
         from owner
         returning user_id",
    )
    .bind(UserId::new())
    .bind(user_name)
    .bind(id)
    .bind(key_name)
    .bind(key.shown_prefix())
    .bind(key.digest())
    .bind(sealer.seal(id, &key))
    .bind(permissions)
    .fetch_one(pool)
    .await?;
    Ok(CreatedKey { id, user, key })
}
