//! Signs in with a password.

use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};

use super::begin_session::begin_session_in_tx;
use crate::accounts::guesses::{Known, Try};
use crate::accounts::{
    AccountError, Client, Credentials, Device, Guesses, Login, Passwords, TokenMaker, Tokens,
};
use crate::db;
use crate::ids::{SessionId, UserId};

/// An account whose password fits, at the version that was looked at.
#[derive(Debug, sqlx::FromRow)]
struct Fitting {
    id: UserId,
    name: String,
    password_version: i64,
}

/// Signs in with a password. The try is counted before the password is looked at, and one hash is worked
/// out, whoever claims the address.
pub async fn sign_in(
    pool: &PgPool,
    passwords: &Passwords,
    guesses: &Guesses,
    maker: &TokenMaker,
    credentials: &Credentials,
    device: &Device,
) -> Result<Tokens, AccountError> {
    let turn = passwords.lookup_turn(device).await?;
    let known = find_known(pool, &credentials.login, device).await?;
    let reserved = guesses.reserve(&credentials.login, device, &known).await?;
    let client = match reserved.device_of {
        Some(account) => Client::of(account),
        None => Client::at(device, !reserved.known.is_empty()),
    };
    let Credentials { login, password } = credentials;
    drop(turn);
    let fitting = match login {
        Login::Email(email) => {
            fitting_by_email(
                pool,
                passwords,
                client,
                email,
                password,
                (&known, &reserved),
            )
            .await
        }
        Login::Username(name) => fitting_by_name(pool, passwords, client, name, password).await,
    };
    let fitting = match fitting {
        Ok(fitting) => fitting.ok_or(AccountError::WrongCredentials)?,
        Err(error) => {
            guesses.give_back(&reserved).await;
            return Err(error);
        }
    };
    guesses.give_back(&reserved).await;
    let mut tx = db::begin(pool).await?;
    let version = Some(fitting.password_version);
    let begun = begin_session_in_tx(&mut tx, fitting.id, version, device).await?;
    db::commit(tx).await?;
    Ok(begun.tokens(maker, fitting.id, &fitting.name))
}

/// The accounts behind a login that know the device or its network.
async fn find_known(pool: &PgPool, login: &Login, device: &Device) -> Result<Known, sqlx::Error> {
    let rows: Vec<(UserId, bool)> = sqlx::query_as(
        "select id, by_device
         from (
             select id,
                    exists (
                        select from sign_in_devices where user_id = users.id and digest = $3
                    ) as by_device,
                    exists (
                        select from sessions where user_id = users.id and network = $4
                    ) as by_network
             from users
             where (email = $1 or name = $2)
               and password_hash is not null
         ) as known
         where by_device or by_network",
    )
    .bind(login.as_email())
    .bind(login.as_username())
    .bind(device.digest())
    .bind(device.network().to_string())
    .fetch_all(pool)
    .await?;
    let (by_device, by_network) = rows.into_iter().partition::<Vec<_>, _>(|(_, it)| *it);
    let ids = |rows: Vec<(UserId, bool)>| rows.into_iter().map(|(id, _)| id).collect();
    Ok(Known {
        by_device: ids(by_device),
        by_network: ids(by_network),
    })
}

/// Of the accounts that claim the address and may be tried now, the one whose password it is; a verified
/// owner and whoever knows the device go first.
async fn fitting_by_email(
    pool: &PgPool,
    passwords: &Passwords,
    client: Client,
    email: &str,
    password: &SecretString,
    (known, reserved): (&Known, &Try),
) -> Result<Option<Fitting>, AccountError> {
    let salt: Option<String> =
        sqlx::query_scalar("select salt from password_salts where email = $1")
            .bind(email)
            .fetch_optional(pool)
            .await?;
    let salt = salt.unwrap_or_else(Passwords::new_salt);
    let hash = passwords.hash(client, password, &salt).await?;
    let fitting = sqlx::query_as(
        "select id, name, password_version
         from users
         where email = $1
           and password_hash = $2
           and blocked_at is null
           and (id = any($3) or $4 and not id = any($5))
         order by email_verified_at is null, id = any($5) desc, created_at, id
         limit 1",
    )
    .bind(email)
    .bind(hash)
    .bind(&reserved.known)
    .bind(reserved.others)
    .bind(known.all())
    .fetch_optional(pool)
    .await?;
    Ok(fitting)
}

async fn fitting_by_name(
    pool: &PgPool,
    passwords: &Passwords,
    client: Client,
    name: &str,
    password: &SecretString,
) -> Result<Option<Fitting>, AccountError> {
    let found: Option<(UserId, String, i64, Option<String>)> = sqlx::query_as(
        "select id, name, password_version, password_hash
         from users
         where name = $1
           and blocked_at is null",
    )
    .bind(name)
    .fetch_optional(pool)
    .await?;
    let hash = found.as_ref().and_then(|(.., hash)| hash.clone());
    let fits = passwords.verify(client, password, hash).await?;
    let found = found.filter(|_| fits);
    Ok(found.map(|(id, name, password_version, _)| Fitting {
        id,
        name,
        password_version,
    }))
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
