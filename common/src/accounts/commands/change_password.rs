//! Sets a new password for whoever knows the old one, and signs out all other devices.

use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};

use super::sign_out::revoke_others_in_tx;
use crate::accounts::password::salt_of;
use crate::accounts::{AccountError, Client, Device, Guesses, Passwords};
use crate::db;
use crate::ids::{SessionId, UserId};

/// A password to be, asked for in a session.
#[derive(Debug)]
pub struct NewPassword {
    pub user: UserId,
    pub session: SessionId,
    pub old: SecretString,
    pub new: SecretString,
}

/// The password as it is.
#[derive(Debug, sqlx::FromRow)]
struct Current {
    name: String,
    email: Option<String>,
    password_hash: Option<String>,
    password_version: i64,
}

/// Sets the new password. From its commit on no session lives that was begun with an older one, but for
/// the one that asks: whoever signs in meanwhile is either seen here, or sees the new version.
pub async fn change_password(
    pool: &PgPool,
    passwords: &Passwords,
    guesses: &Guesses,
    change: &NewPassword,
    device: &Device,
) -> Result<(), AccountError> {
    let current: Current = sqlx::query_as(
        "select name, email, password_hash, password_version from users where id = $1",
    )
    .bind(change.user)
    .fetch_one(pool)
    .await?;
    let hash = current.password_hash.ok_or(AccountError::NoPassword)?;
    let email = current.email.as_deref().unwrap_or_default();
    Passwords::check(&change.new, &[&current.name, email])?;
    let reserved = guesses
        .reserve_in_session(change.user, change.session)
        .await?;
    let client = Client::of(change.user);
    let fits = passwords
        .verify(client, &change.old, Some(hash.clone()))
        .await;
    if !matches!(fits, Ok(false)) {
        guesses.give_back(&reserved).await;
    }
    if !fits? {
        return Err(AccountError::WrongCredentials);
    }
    let salt = salt_of(&hash).unwrap_or_default();
    let next = passwords.hash(client, &change.new, salt).await?;
    let mut tx = db::begin(pool).await?;
    set_in_tx(&mut tx, change, current.password_version, &next).await?;
    forget_other_devices_in_tx(&mut tx, change.user, device).await?;
    Ok(db::commit(tx).await?)
}

/// Writes the hash and the next version, keeps the session that asks, and ends all others.
async fn set_in_tx(
    conn: &mut PgConnection,
    change: &NewPassword,
    version: i64,
    hash: &str,
) -> Result<(), AccountError> {
    let changed = sqlx::query(
        "update users
         set password_hash = $3, password_version = password_version + 1
         where id = $1
           and password_version = $2
           and blocked_at is null",
    )
    .bind(change.user)
    .bind(version)
    .bind(hash)
    .execute(&mut *conn)
    .await?;
    let kept = sqlx::query(
        "update sessions
         set password_version = $3 + 1
         where id = $1
           and user_id = $2
           and password_version = $3
           and revoked_at is null",
    )
    .bind(change.session)
    .bind(change.user)
    .bind(version)
    .execute(&mut *conn)
    .await?;
    if changed.rows_affected() == 0 || kept.rows_affected() == 0 {
        return Err(AccountError::WrongCredentials);
    }
    let kept = Some(change.session);
    revoke_others_in_tx(conn, change.user, kept, "password_changed").await?;
    Ok(())
}

/// Whoever knew the old password is a stranger again.
async fn forget_other_devices_in_tx(
    conn: &mut PgConnection,
    user: UserId,
    device: &Device,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from sign_in_devices
         where user_id = $1
           and digest is distinct from $2",
    )
    .bind(user)
    .bind(device.digest())
    .execute(conn)
    .await?;
    Ok(())
}
