//! What operators decide about users, and what users say of themselves.

use sqlx::PgPool;

use super::sign_out::revoke_others;
use crate::accounts::AccountError;
use crate::ids::UserId;
use crate::limits::ABOUT_CHARS_MAX;

/// Blocks a user, whose keys and sessions are refused from the next request on, or lets one in again.
pub async fn set_blocked(
    pool: &PgPool,
    operator: Option<UserId>,
    user: UserId,
    is_blocked: bool,
) -> Result<(), AccountError> {
    if operator == Some(user) {
        return Err(AccountError::Oneself);
    }
    let changed = sqlx::query(
        "update users
         set blocked_at = case when $2 then coalesce(blocked_at, now()) end
         where id = $1",
    )
    .bind(user)
    .bind(is_blocked)
    .execute(pool)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(AccountError::NotFound("user"));
    }
    if is_blocked {
        revoke_others(pool, user, None, "blocked").await?;
    }
    Ok(())
}

/// Makes a user an operator, or an operator a user.
pub async fn set_role(
    pool: &PgPool,
    operator: Option<UserId>,
    user: UserId,
    is_admin: bool,
) -> Result<(), AccountError> {
    if operator == Some(user) {
        return Err(AccountError::Oneself);
    }
    let changed = sqlx::query("update users set role = $2 where id = $1")
        .bind(user)
        .bind(if is_admin { "admin" } else { "member" })
        .execute(pool)
        .await?;
    match changed.rows_affected() {
        0 => Err(AccountError::NotFound("user")),
        _ => Ok(()),
    }
}

/// Sets what buyers read of a seller, if the account is at a version that the caller has seen.
pub async fn change_about(
    pool: &PgPool,
    user: UserId,
    if_match: Option<&[i64]>,
    about: Option<&str>,
) -> Result<(), AccountError> {
    if about.is_some_and(|about| about.chars().count() > ABOUT_CHARS_MAX) {
        let message = format!("must have at most {ABOUT_CHARS_MAX} characters");
        return Err(AccountError::field("about", message));
    }
    let changed = sqlx::query(
        "update users
         set about = $2, profile_version = profile_version + 1
         where id = $1
           and ($3::bigint[] is null or profile_version = any($3))",
    )
    .bind(user)
    .bind(about)
    .bind(if_match)
    .execute(pool)
    .await?;
    if changed.rows_affected() == 1 {
        return Ok(());
    }
    let current: i64 = sqlx::query_scalar("select profile_version from users where id = $1")
        .bind(user)
        .fetch_one(pool)
        .await?;
    Err(AccountError::VersionChanged { current })
}
