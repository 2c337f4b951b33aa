//! Ends sessions: one, or all but one.

use sqlx::{PgExecutor, PgPool};

use super::sign_in::end_session_in_tx;
use crate::accounts::AccountError;
use crate::db;
use crate::ids::{SessionId, UserId};

/// Ends the session that asks.
pub async fn sign_out(pool: &PgPool, user: UserId, session: SessionId) -> Result<(), AccountError> {
    let mut writer = db::writer(pool).await?;
    end_session_in_tx(&mut writer, user, session, "signed_out").await?;
    writer.finish().await?;
    Ok(())
}

/// Ends another session of the same user.
pub async fn revoke_session(
    pool: &PgPool,
    user: UserId,
    session: SessionId,
) -> Result<(), AccountError> {
    let mut writer = db::writer(pool).await?;
    if !end_session_in_tx(&mut writer, user, session, "revoked").await? {
        return Err(AccountError::NotFound("session"));
    }
    writer.finish().await?;
    Ok(())
}

/// Ends all sessions of a user but one: how many.
pub async fn revoke_others(
    pool: &PgPool,
    user: UserId,
    kept: Option<SessionId>,
    because: &str,
) -> Result<u64, AccountError> {
    let mut writer = db::writer(pool).await?;
    let ended = revoke_others_in_tx(&mut *writer, user, kept, because).await?;
    writer.finish().await?;
    Ok(ended)
}

/// The same, inside the caller's transaction.
pub async fn revoke_others_in_tx(
    executor: impl PgExecutor<'_>,
    user: UserId,
    kept: Option<SessionId>,
    because: &str,
) -> Result<u64, AccountError> {
    let ended = sqlx::query(
        "update sessions
         set revoked_at = now(), revoked_because = $3
         where user_id = $1
           and id is distinct from $2
           and revoked_at is null",
    )
    .bind(user)
    .bind(kept)
    .bind(because)
    .execute(executor)
    .await?;
    Ok(ended.rows_affected())
}
