//! Replaces a key: the new one is good at once, the old one for a while.

use std::time::Duration;

use sqlx::PgConnection;

use super::create_key::{CreatedKey, NewKey, insert_key_in_tx, lock_keys_in_tx};
use crate::identity::{IdentityError, Permission, Principal, Sealer, find_key};
use crate::ids::ApiKeyId;

/// Replaces a live key of the caller, with the same rights. The old one ends after the overlap, or
/// when it would have anyway; it goes on to sign what was promised under it.
pub async fn rotate_key_in_tx(
    conn: &mut PgConnection,
    sealer: &Sealer,
    asking: &Principal,
    id: ApiKeyId,
    overlap: Duration,
) -> Result<CreatedKey, IdentityError> {
    lock_keys_in_tx(conn, asking.user).await?;
    let old = find_key(&mut *conn, asking.user, id).await?;
    let old = old.ok_or(IdentityError::NotFound)?;
    let now = chrono::Utc::now();
    if old.revoked_at.is_some() || old.expires_at.is_some_and(|at| at <= now) {
        return Err(IdentityError::Ended);
    }
    let permissions: Vec<Permission> = old
        .permissions
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    // A key may always replace itself; another only if it is no wider.
    if id != asking.key && !permissions.iter().all(|each| asking.may(*each)) {
        return Err(IdentityError::Wider);
    }
    let new = NewKey {
        name: &old.name,
        permissions: &permissions,
        limits: old.limits(),
    };
    let created = insert_key_in_tx(conn, sealer, asking.user, &new, Some(old.line_id)).await?;
    sqlx::query(
        "update api_keys
         set expires_at = least(expires_at, now() + make_interval(secs => $2))
         where id = $1",
    )
    .bind(id)
    .bind(overlap.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(created)
}
