//! Revokes a key: the next request with it is refused, and what waits under it is told.

use super::grant::check_control_in_tx;
use crate::identity::{IdentityError, Principal, REVOKED};
use crate::ids::{ApiKeyId, UserId};
use crate::outbox::Outbox;

/// Who revokes.
#[derive(Debug, Clone, Copy)]
pub enum Revoker<'a> {
    /// Any key.
    Operator,
    /// A key of the same user: itself, or one that is no wider.
    Owner(&'a Principal),
}

/// Revokes the key; revoking it again changes nothing.
pub async fn revoke_key(
    outbox: &Outbox,
    by: Revoker<'_>,
    id: ApiKeyId,
) -> Result<(), IdentityError> {
    let mut tx = outbox.begin().await?;
    let owner: Option<UserId> = match by {
        Revoker::Operator => None,
        Revoker::Owner(asking) => {
            check_control_in_tx(&mut tx, asking, id, "revoke").await?;
            Some(asking.user)
        }
    };
    let revoked = sqlx::query(
        "update api_keys
         set revoked_at = coalesce(revoked_at, now())
         where id = $1
           and ($2::uuid is null or user_id = $2)
           and not is_own",
    )
    .bind(id)
    .bind(owner)
    .execute(&mut *tx)
    .await?;
    if revoked.rows_affected() == 0 {
        return Err(IdentityError::NotFound);
    }
    tx.announce(REVOKED, id.to_string());
    tx.commit().await?;
    Ok(())
}
