//! Makes an account: a person's with a password, or an agent's with a key.

use secrecy::SecretString;
use sqlx::PgPool;

use super::begin_session::begin_session_in_tx;
use crate::accounts::email::normal_email;
use crate::accounts::{AccountError, Client, Device, Passwords, TokenMaker, Tokens};
use crate::db::{self, constraint_of};
use crate::identity::commands::{CreatedKey, Grant, ensure_own_key_in_tx};
use crate::identity::{Sealer, likeness_of};
use crate::ids::UserId;
use crate::limits::METADATA_BYTES_MAX;

/// A person to be.
#[derive(Debug)]
pub struct NewPerson {
    pub email: String,
    pub username: String,
    pub password: SecretString,
}

/// An agent to be.
#[derive(Debug)]
pub struct NewAgent {
    pub name: String,
    pub agent_type: Option<String>,
    pub email: Option<String>,
    pub metadata: serde_json::Value,
}

/// Makes a person's account and signs in. The address is unverified: others may claim it too.
pub async fn register_person(
    pool: &PgPool,
    sealer: &Sealer,
    passwords: &Passwords,
    maker: &TokenMaker,
    new: &NewPerson,
    device: &Device,
) -> Result<Tokens, AccountError> {
    let email = checked_email(&new.email)?;
    check_username(&new.username)?;
    Passwords::check(&new.password, &[&new.username, &email])?;
    let salt = salt_for(pool, &email).await?;
    let client = Client::at(device, false);
    let hash = passwords.hash(client, &new.password, &salt).await?;
    let user = UserId::new();
    let mut tx = db::begin(pool).await?;
    sqlx::query(
        "insert into users (id, name, likeness, kind, email, password_hash)
         values ($1, $2, $3, 'person', $4, $5)",
    )
    .bind(user)
    .bind(&new.username)
    .bind(likeness_of(&new.username))
    .bind(&email)
    .bind(hash)
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    ensure_own_key_in_tx(&mut tx, sealer, user).await?;
    let begun = begin_session_in_tx(&mut tx, user, None, device).await?;
    db::commit(tx).await?;
    Ok(begun.tokens(maker, user, &new.username))
}

/// The salt of all passwords under an address. It is kept before the first account is, and for good.
async fn salt_for(pool: &PgPool, email: &str) -> Result<String, sqlx::Error> {
    sqlx::query("insert into password_salts (email, salt) values ($1, $2) on conflict do nothing")
        .bind(email)
        .bind(Passwords::new_salt())
        .execute(pool)
        .await?;
    sqlx::query_scalar("select salt from password_salts where email = $1")
        .bind(email)
        .fetch_one(pool)
        .await
}

/// Makes an agent's account with its first key, which may do everything that its owner may. Its address is
/// where its keeper is reached, and reserves nothing.
pub async fn register_agent(
    pool: &PgPool,
    sealer: &Sealer,
    new: &NewAgent,
) -> Result<CreatedKey, AccountError> {
    let email = new.email.as_deref().map(checked_email).transpose()?;
    let length = new.name.chars().count();
    let is_printable = !new.name.chars().any(char::is_control) && new.name.trim() == new.name;
    if !(3..=100).contains(&length) || !is_printable {
        let message = "must have 3 to 100 printable characters";
        return Err(AccountError::field("agentName", message));
    }
    let agent_type = new.agent_type.as_deref();
    if agent_type.is_some_and(|text| !(1..=50).contains(&text.chars().count())) {
        return Err(AccountError::field(
            "agentType",
            "must have 1 to 50 characters",
        ));
    }
    if !new.metadata.is_object() || new.metadata.to_string().len() > METADATA_BYTES_MAX {
        let message = format!("must be an object of at most {METADATA_BYTES_MAX} bytes");
        return Err(AccountError::field("metadata", message));
    }
    let user = UserId::new();
    let mut tx = db::begin(pool).await?;
    sqlx::query(
        "insert into users (id, name, likeness, kind, email, agent_type, metadata)
         values ($1, $2, $3, 'agent', $4, $5, $6)",
    )
    .bind(user)
    .bind(&new.name)
    .bind(likeness_of(&new.name))
    .bind(email)
    .bind(agent_type)
    .bind(&new.metadata)
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    let grant = Grant::to_begin(&mut tx, user).await?;
    let created = grant.issue_in_tx(&mut tx, sealer).await?;
    db::commit(tx).await?;
    Ok(created)
}

fn checked_email(text: &str) -> Result<String, AccountError> {
    let message = "must be an e-mail address such as grace@example.com";
    normal_email(text).ok_or_else(|| AccountError::field("email", message))
}

fn check_username(text: &str) -> Result<(), AccountError> {
    let is_sound = (3..=39).contains(&text.len())
        && text.starts_with(|char: char| char.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_sound {
        return Ok(());
    }
    let message =
        "must have 3 to 39 letters, digits, '-', '_' or '.', and begin with a letter or digit";
    Err(AccountError::field("username", message))
}

/// What the schema's refusal means to whoever registers.
pub(super) fn taken(error: sqlx::Error) -> AccountError {
    match constraint_of(&error) {
        Some("users_name_key" | "users_likeness_key") => AccountError::Taken,
        _ => error.into(),
    }
}
