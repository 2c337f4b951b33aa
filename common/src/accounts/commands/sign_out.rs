//! Ends sessions: one, or all but one.

use secrecy::SecretString;
use sqlx::PgPool;

use super::sign_in::end_session_in_tx;
use crate::accounts::{AccountError, Passwords};
use crate::ids::{SessionId, UserId};

/// Ends the session that asks.
pub async fn sign_out(pool: &PgPool, user: UserId, session: SessionId) -> Result<(), AccountError> {
    let mut conn = pool.acquire().await?;
    end_session_in_tx(&mut conn, user, session, "signed_out").await?;
    Ok(())
}

/// Ends another session of the same user.
pub async fn revoke_session(
    pool: &PgPool,
    user: UserId,
    session: SessionId,
) -> Result<(), AccountError> {
    let mut conn = pool.acquire().await?;
    if end_session_in_tx(&mut conn, user, session, "revoked").await? {
        Ok(())
    } else {
        Err(AccountError::NotFound("session"))
    }
}

/// Ends all sessions of a user but one: how many.
pub async fn revoke_others(
    pool: &PgPool,
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
    .execute(pool)
    .await?;
    Ok(ended.rows_affected())
}

/// Sets a new password for whoever knows the old one, and signs out all other devices.
pub async fn change_password(
    pool: &PgPool,
    passwords: &Passwords,
    user: UserId,
    session: Option<SessionId>,
    old: &SecretString,
    new: &SecretString,
) -> Result<(), AccountError> {
    let (name, email, hash): (String, Option<String>, Option<String>) =
        sqlx::query_as("select name, email, password_hash from users where id = $1")
            .bind(user)
            .fetch_one(pool)
            .await?;
    let hash = hash.ok_or(AccountError::NoPassword)?;
    Passwords::check(new, &[&name, email.as_deref().unwrap_or_default()])?;
    if !passwords.verify(old, Some(hash.clone())).await? {
        return Err(AccountError::WrongCredentials);
    }
    let next = passwords.hash(new).await?;
    let changed =
        sqlx::query("update users set password_hash = $3 where id = $1 and password_hash = $2")
            .bind(user)
            .bind(hash)
            .bind(next)
            .execute(pool)
            .await?;
    if changed.rows_affected() == 0 {
        return Err(AccountError::WrongCredentials);
    }
    revoke_others(pool, user, session, "password_changed").await?;
    Ok(())
}
