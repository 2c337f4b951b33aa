//! Begins a session, and goes on with one.

use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};

use crate::accounts::{AccountError, Device, Passwords, RefreshToken, TokenMaker, Tokens};
use crate::ids::{SessionId, UserId};
use crate::limits::{REFRESH_TOKEN_SECONDS, SESSIONS_MAX};

/// Signs in with a password.
pub async fn sign_in(
    pool: &PgPool,
    passwords: &Passwords,
    maker: &TokenMaker,
    email: &str,
    password: &SecretString,
    device: &Device,
) -> Result<Tokens, AccountError> {
    let found: Option<(UserId, String, Option<String>)> = sqlx::query_as(
        "select id, name, password_hash
         from users
         where email = $1
           and blocked_at is null",
    )
    .bind(email.trim().to_lowercase())
    .fetch_optional(pool)
    .await?;
    let hash = found.as_ref().and_then(|(_, _, hash)| hash.clone());
    let fits = passwords.verify(password, hash).await?;
    let (user, name, _) = found
        .filter(|_| fits)
        .ok_or(AccountError::WrongCredentials)?;
    let mut tx = pool.begin().await?;
    let (session, refresh) = begin_session_in_tx(&mut tx, user, device).await?;
    tx.commit().await?;
    Ok(maker.tokens(user, &name, session, &refresh))
}

/// Writes a session and its first refresh token. The user's oldest session makes room.
pub(super) async fn begin_session_in_tx(
    conn: &mut PgConnection,
    user: UserId,
    device: &Device,
) -> Result<(SessionId, RefreshToken), sqlx::Error> {
    let session = SessionId::new();
    let shown = |text: &str| text.chars().take(200).collect::<String>();
    sqlx::query(
        "insert into sessions (id, user_id, user_agent, address, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(secs => $5))",
    )
    .bind(session)
    .bind(user)
    .bind(shown(&device.user_agent))
    .bind(shown(&device.address))
    .bind(REFRESH_TOKEN_SECONDS as f64)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "update sessions
         set revoked_at = now(), revoked_because = 'revoked'
         where id in (
             select id
             from sessions
             where user_id = $1
               and revoked_at is null
             order by created_at desc, id desc
             offset $2
         )",
    )
    .bind(user)
    .bind(SESSIONS_MAX)
    .execute(&mut *conn)
    .await?;
    let token = insert_token_in_tx(conn, session).await?;
    Ok((session, token))
}

async fn insert_token_in_tx(
    conn: &mut PgConnection,
    session: SessionId,
) -> Result<RefreshToken, sqlx::Error> {
    let token = RefreshToken::generate();
    sqlx::query(
        "insert into refresh_tokens (digest, session_id, expires_at)
         values ($1, $2, now() + make_interval(secs => $3))",
    )
    .bind(token.digest())
    .bind(session)
    .bind(REFRESH_TOKEN_SECONDS as f64)
    .execute(conn)
    .await?;
    Ok(token)
}

/// A refresh token as its session knows it.
#[derive(Debug, sqlx::FromRow)]
struct Presented {
    session_id: SessionId,
    user_id: UserId,
    name: String,
    is_used: bool,
    is_live: bool,
}

/// Gives the next pair of tokens for a refresh token, once. One that was used before is in two hands:
/// its session ends.
pub async fn refresh(
    pool: &PgPool,
    maker: &TokenMaker,
    token: &RefreshToken,
) -> Result<Tokens, AccountError> {
    let mut tx = pool.begin().await?;
    let presented: Option<Presented> = sqlx::query_as(
        "select session_id, user_id, name, used_at is not null as is_used,
                refresh_tokens.expires_at > now() and revoked_at is null and blocked_at is null as is_live
         from refresh_tokens
         join sessions on sessions.id = session_id
         join users on users.id = user_id
         where digest = $1
         for update of refresh_tokens",
    )
    .bind(token.digest())
    .fetch_optional(&mut *tx)
    .await?;
    let presented = presented.ok_or(AccountError::RefreshRefused)?;
    if presented.is_used {
        end_session_in_tx(&mut tx, presented.user_id, presented.session_id, "reused").await?;
        tx.commit().await?;
        tracing::warn!(session.id = %presented.session_id, "A refresh token came back after its use");
        return Err(AccountError::RefreshRefused);
    }
    if !presented.is_live {
        return Err(AccountError::RefreshRefused);
    }
    sqlx::query("update refresh_tokens set used_at = now() where digest = $1")
        .bind(token.digest())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "update sessions
         set last_used_at = now(), expires_at = now() + make_interval(secs => $2)
         where id = $1",
    )
    .bind(presented.session_id)
    .bind(REFRESH_TOKEN_SECONDS as f64)
    .execute(&mut *tx)
    .await?;
    let next = insert_token_in_tx(&mut tx, presented.session_id).await?;
    tx.commit().await?;
    Ok(maker.tokens(
        presented.user_id,
        &presented.name,
        presented.session_id,
        &next,
    ))
}

/// Ends a live session of that user; false if there is none.
pub(super) async fn end_session_in_tx(
    conn: &mut PgConnection,
    user: UserId,
    session: SessionId,
    because: &str,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query(
        "update sessions
         set revoked_at = now(), revoked_because = $3
         where id = $1
           and user_id = $2
           and revoked_at is null",
    )
    .bind(session)
    .bind(user)
    .bind(because)
    .execute(conn)
    .await?;
    Ok(ended.rows_affected() == 1)
}
