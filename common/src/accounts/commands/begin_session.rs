//! Writes a session with what its device keeps.

use sqlx::PgConnection;

use crate::accounts::{AccountError, Device, DeviceToken, RefreshToken, TokenMaker, Tokens};
use crate::ids::{SessionId, UserId};
use crate::limits::{REFRESH_TOKEN_SECONDS, SESSIONS_MAX, SIGN_IN_DEVICES_MAX};

/// A session that was begun.
#[derive(Debug)]
pub(super) struct Begun {
    session: SessionId,
    refresh: RefreshToken,
    device: DeviceToken,
}

impl Begun {
    /// The answer to a sign-in.
    pub fn tokens(&self, maker: &TokenMaker, user: UserId, name: &str) -> Tokens {
        Tokens {
            device_token: Some(self.device.expose().to_owned()),
            ..maker.tokens(user, name, self.session, &self.refresh)
        }
    }
}

/// Writes a session, its first refresh token and its device, if the user is not blocked and the password
/// is still of the version that was looked at; without one, of whichever it is. Whoever changes the password
/// or blocks the user meanwhile waits for this transaction, or this one for theirs. The oldest session
/// makes room.
pub(super) async fn begin_session_in_tx(
    conn: &mut PgConnection,
    user: UserId,
    password_version: Option<i64>,
    device: &Device,
) -> Result<Begun, AccountError> {
    let session = SessionId::new();
    let shown = |text: &str| text.chars().take(200).collect::<String>();
    let begun = sqlx::query(
        "insert into sessions (id, user_id, user_agent, address, network, expires_at, password_version)
         select $1, id, $3, $4, $5, now() + make_interval(secs => $6), password_version
         from users
         where id = $2
           and blocked_at is null
           and ($7::bigint is null or password_version = $7)
         for share",
    )
    .bind(session)
    .bind(user)
    .bind(shown(&device.user_agent))
    .bind(device.address.to_string())
    .bind(device.network().to_string())
    .bind(REFRESH_TOKEN_SECONDS as f64)
    .bind(password_version)
    .execute(&mut *conn)
    .await?;
    if begun.rows_affected() == 0 {
        return Err(AccountError::WrongCredentials);
    }
    end_oldest_in_tx(conn, user).await?;
    Ok(Begun {
        session,
        refresh: insert_token_in_tx(conn, session).await?,
        device: remember_device_in_tx(conn, user, device).await?,
    })
}

async fn end_oldest_in_tx(conn: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
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
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_token_in_tx(
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

/// The token of the device if the account knows it, else a new one: a token that somebody planted never
/// becomes one that the account knows. The device that is unused for longest makes room.
async fn remember_device_in_tx(
    conn: &mut PgConnection,
    user: UserId,
    device: &Device,
) -> Result<DeviceToken, sqlx::Error> {
    if let Some(token) = &device.token {
        let known = sqlx::query(
            "update sign_in_devices
             set last_used_at = now()
             where user_id = $1
               and digest = $2",
        )
        .bind(user)
        .bind(token.digest())
        .execute(&mut *conn)
        .await?;
        if known.rows_affected() == 1 {
            return Ok(token.clone());
        }
    }
    let token = DeviceToken::generate();
    sqlx::query("insert into sign_in_devices (user_id, digest) values ($1, $2)")
        .bind(user)
        .bind(token.digest())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "delete from sign_in_devices
         where user_id = $1
           and digest in (
               select digest
               from sign_in_devices
               where user_id = $1
               order by last_used_at desc, digest
               offset $2
           )",
    )
    .bind(user)
    .bind(SIGN_IN_DEVICES_MAX)
    .execute(conn)
    .await?;
    Ok(token)
}
