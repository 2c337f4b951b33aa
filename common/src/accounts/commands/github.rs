//! Signs in through GitHub: once to it, once back.

use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};
use url::Url;

use super::begin_session::begin_session_in_tx;
use super::register::taken;
use crate::accounts::{AccountError, Device, GitHub, GitHubUser, TokenMaker, Tokens};
use crate::db;
use crate::identity::commands::ensure_own_key_in_tx;
use crate::identity::{IdentityError, Sealer, likeness_of};
use crate::ids::{UserId, random_hex};
use crate::limits::OAUTH_SECONDS;

/// Where to send a browser, and the secret that it keeps meanwhile.
#[derive(Debug)]
pub struct Leave {
    pub url: Url,
    /// Names the attempt; it comes back with the browser.
    pub state: String,
    pub browser_secret: String,
}

/// Notes that a browser leaves for GitHub.
pub async fn leave_for_github(
    pool: &PgPool,
    sealer: &Sealer,
    github: &GitHub,
) -> Result<Leave, AccountError> {
    let departure = github.depart();
    let browser_secret = random_hex::<32>();
    let state_digest = digest(&departure.state);
    let verifier = sealer.seal_bytes(&state_digest, departure.verifier.as_bytes());
    sqlx::query(
        "insert into oauth_attempts (state_digest, browser_digest, verifier, expires_at)
         values ($1, $2, $3, now() + make_interval(secs => $4))",
    )
    .bind(state_digest)
    .bind(digest(&browser_secret))
    .bind(verifier)
    .bind(OAUTH_SECONDS as f64)
    .execute(pool)
    .await?;
    Ok(Leave {
        url: departure.url,
        state: departure.state,
        browser_secret,
    })
}

/// The PKCE verifier of a browser that is back, once.
pub async fn take_attempt(
    pool: &PgPool,
    sealer: &Sealer,
    state: &str,
    browser_secret: &str,
) -> Result<String, AccountError> {
    let state_digest = digest(state);
    let sealed: Option<Vec<u8>> = sqlx::query_scalar(
        "delete from oauth_attempts
         where state_digest = $1
           and browser_digest = $2
           and expires_at > now()
         returning verifier",
    )
    .bind(&state_digest)
    .bind(digest(browser_secret))
    .fetch_optional(pool)
    .await?;
    let sealed = sealed.ok_or(AccountError::AttemptUnknown)?;
    let verifier = sealer.open_bytes(&state_digest, &sealed)?;
    String::from_utf8(verifier).map_err(|_| IdentityError::Unsealable.into())
}

/// Signs in whoever GitHub says it is; the first time, that makes an account. No e-mail address opens
/// an account that is there already: ours are not verified.
pub async fn sign_in_from_github(
    pool: &PgPool,
    sealer: &Sealer,
    maker: &TokenMaker,
    who: &GitHubUser,
    device: &Device,
) -> Result<Tokens, AccountError> {
    let mut tx = db::begin(pool).await?;
    let found: Option<(UserId, String)> =
        sqlx::query_as("select id, name from users where github_id = $1")
            .bind(who.id)
            .fetch_optional(&mut *tx)
            .await?;
    let (user, name) = match found {
        Some(found) => found,
        None => create_in_tx(&mut tx, who).await?,
    };
    ensure_own_key_in_tx(&mut tx, sealer, user).await?;
    let begun = begin_session_in_tx(&mut tx, user, None, device).await?;
    db::commit(tx).await?;
    Ok(begun.tokens(maker, user, &name))
}

/// A new account under the name at GitHub, or one like it if somebody has that name here.
async fn create_in_tx(
    conn: &mut PgConnection,
    who: &GitHubUser,
) -> Result<(UserId, String), AccountError> {
    let other = format!("{}-{}", who.login, random_hex::<3>());
    let user: (UserId, String) = sqlx::query_as(
        "insert into users (id, name, likeness, kind, github_id)
         select $1, case when is_taken then $4 else $2 end, case when is_taken then $5 else $3 end, 'person', $6
         from (
             select exists (select from users where name = $2 or likeness = $3) as is_taken
         ) as found
         on conflict on constraint users_github_id_key do update set github_id = excluded.github_id
         returning id, name",
    )
    .bind(UserId::new())
    .bind(&who.login)
    .bind(likeness_of(&who.login))
    .bind(&other)
    .bind(likeness_of(&other))
    .bind(who.id)
    .fetch_one(conn)
    .await
    .map_err(taken)?;
    Ok(user)
}

fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}
