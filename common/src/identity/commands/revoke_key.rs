//! Revokes a key: the next request with it is refused.

use sqlx::PgPool;

use crate::identity::IdentityError;
use crate::ids::ApiKeyId;

/// Revokes the key; revoking it again changes nothing.
pub async fn revoke_key(pool: &PgPool, id: ApiKeyId) -> Result<(), IdentityError> {
    let revoked =
        sqlx::query("update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1")
            .bind(id)
            .execute(pool)
            .await?;
    if revoked.rows_affected() == 1 {
        Ok(())
    } else {
        Err(IdentityError::NotFound)
    }
}
