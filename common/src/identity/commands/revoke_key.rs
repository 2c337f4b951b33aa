//! Revokes a key: the next request with it is refused.

use sqlx::PgPool;

use crate::identity::IdentityError;
use crate::ids::{ApiKeyId, UserId};

/// Revokes the key, of that user if one is named; revoking it again changes nothing.
pub async fn revoke_key(
    pool: &PgPool,
    owner: Option<UserId>,
    id: ApiKeyId,
) -> Result<(), IdentityError> {
    let revoked = sqlx::query(
        "update api_keys
         set revoked_at = coalesce(revoked_at, now())
         where id = $1
           and ($2::uuid is null or user_id = $2)
           and not is_own",
    )
    .bind(id)
    .bind(owner)
    .execute(pool)
    .await?;
    if revoked.rows_affected() == 1 {
        Ok(())
    } else {
        Err(IdentityError::NotFound)
    }
}
