//! The login of the services: may do what `awareness_app` may, and nothing else.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::{digest, hmac, pbkdf2};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use thiserror::Error;
use url::Url;

/// The role that owns the rights of the services (`migrations/0024_roles.sql`).
const SERVICES: &str = "awareness_app";
/// Logins are made one at a time, by whichever process is first.
const LOGIN_LOCK: i64 = 0x6177_6c6f_6769_6e00;
/// What PostgreSQL itself uses.
const SCRAM_ITERATIONS: std::num::NonZeroU32 = std::num::NonZeroU32::new(4096).unwrap();

/// Why the services have no login.
#[derive(Debug, Error)]
pub enum LoginError {
    /// The address cannot be read, or names no user.
    #[error("DATABASE_URL must be an address with a user")]
    Address,
    /// A password is prepared (RFC 4013) before it is hashed; plain ASCII stays as it is.
    #[error(
        "the password of DATABASE_URL must be of ASCII characters, percent-encoded where needed"
    )]
    Password,
    /// It was made a member, and is none.
    #[error("{0} is no member of {SERVICES}")]
    NoMember(String),
    /// PostgreSQL did not answer or refused.
    #[error(
        "the login of DATABASE_URL cannot be made; make it yourself, as a member of {SERVICES}"
    )]
    Database(#[from] sqlx::Error),
}

/// Makes sure that the login of that address gets in and is a member of `awareness_app`. What works is left as it
/// is; what is missing is made with the rights of `owner`, which then needs CREATEROLE. False if both are
/// one login, so that the services have all the owner's rights.
pub async fn ensure_login(owner: &PgPool, services_url: &SecretString) -> Result<bool, LoginError> {
    let (name, password) = credentials(services_url.expose_secret())?;
    let own_name: String = sqlx::query_scalar("select session_user::text")
        .fetch_one(owner)
        .await?;
    if name == own_name {
        tracing::warn!(
            "The services log in as the owner of the schema, and may do anything. Give DATABASE_URL a login of its \
             own, as in postgres://awareness_app:PASSWORD@…, and this one as MIGRATION_DATABASE_URL: then \
             `awareness migrate` makes it"
        );
        return Ok(false);
    }
    if !is_member(services_url).await.unwrap_or(false) {
        make(owner, &name, password.as_deref()).await?;
        if !is_member(services_url).await? {
            return Err(LoginError::NoMember(name));
        }
    }
    Ok(true)
}

/// Whether a login is a superuser, makes roles, or owns tables of the schema.
pub(super) async fn is_more_than_a_service(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select rolsuper or rolcreaterole or exists (
             select
             from pg_class
             where relnamespace = 'public'::regnamespace
               and pg_has_role(session_user, relowner, 'member')
         )
         from pg_roles
         where rolname = session_user",
    )
    .fetch_one(pool)
    .await
}

async fn is_member(services_url: &SecretString) -> Result<bool, sqlx::Error> {
    let options = PgConnectOptions::from_str(services_url.expose_secret())?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let is_member = sqlx::query_scalar("select pg_has_role(session_user, $1, 'member')")
        .bind(SERVICES)
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(is_member)
}

async fn make(owner: &PgPool, name: &str, password: Option<&str>) -> Result<(), LoginError> {
    let verifier = password.map(scram_verifier).transpose()?;
    let mut tx = super::begin(owner).await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(LOGIN_LOCK)
        .execute(&mut *tx)
        .await?;
    let statements: Vec<String> = sqlx::query_scalar(
        "select format('create role %I', $1)
         where not exists (select from pg_roles where rolname = $1)
         union all
         select format('alter role %I login', $1) || coalesce(format(' password %L', $2), '')
         union all
         select format('grant %I to %I', $3, $1)
         where $1 <> $3",
    )
    .bind(name)
    .bind(verifier)
    .bind(SERVICES)
    .fetch_all(&mut *tx)
    .await?;
    for statement in statements {
        // Quoted by PostgreSQL itself.
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// User and password of an address, without their percent signs.
fn credentials(url: &str) -> Result<(String, Option<String>), LoginError> {
    let url = Url::parse(url).map_err(|_| LoginError::Address)?;
    let name = decoded(url.username()).filter(|name| !name.is_empty());
    let password = url
        .password()
        .map(|password| decoded(password).ok_or(LoginError::Password));
    Ok((name.ok_or(LoginError::Address)?, password.transpose()?))
}

fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.extend(hex::decode(code).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// What PostgreSQL keeps of a password (RFC 5803): sent in its place, it is in no log of statements.
fn scram_verifier(password: &str) -> Result<String, LoginError> {
    if !password.is_ascii() || password.chars().any(char::is_control) {
        return Err(LoginError::Password);
    }
    let mut salt = [0; 16];
    rand::fill(&mut salt);
    Ok(scram_verifier_with(password, salt))
}

fn scram_verifier_with(password: &str, salt: [u8; 16]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        SCRAM_ITERATIONS,
        &salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    format!(
        "SCRAM-SHA-256${SCRAM_ITERATIONS}:{}${}:{}",
        encode(&salt),
        encode(stored.as_ref()),
        encode(server.as_ref())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_client_reads_it() {
        let read = |url| credentials(url).ok();
        let pair = |name: &str, password: Option<&str>| {
            Some((name.to_owned(), password.map(str::to_owned)))
        };
        assert_eq!(
            read("postgres://app:a%40b%25@db:5432/x"),
            pair("app", Some("a@b%"))
        );
        assert_eq!(read("postgres://app@db/x"), pair("app", None));
        assert_eq!(read("postgres://db/x"), None);
        assert_eq!(read("postgres://app:%4@db/x"), None);
    }

    #[test]
    fn a_password_that_would_be_prepared_is_refused() {
        assert!(scram_verifier("plain words").is_ok());
        assert!(matches!(scram_verifier("müd"), Err(LoginError::Password)));
    }

    /// RFC 7677, section 3: the salt and password of its example, as `rolpassword` shows them.
    #[test]
    fn a_verifier_is_that_of_the_standard() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            scram_verifier_with("pencil", salt.try_into().unwrap()),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
