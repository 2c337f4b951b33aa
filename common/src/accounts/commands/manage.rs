//! Who is an operator, and what users say of themselves.

use sqlx::PgPool;

use crate::accounts::AccountError;
use crate::audit::ActId;
use crate::db;
use crate::ids::UserId;
use crate::limits::ABOUT_CHARS_MAX;
use crate::merge_patch::Patch;

/// Makes a user an operator, or an operator a user. Only in an act that is written down.
pub async fn set_role(
    pool: &PgPool,
    act: ActId,
    user: UserId,
    is_admin: bool,
) -> Result<(), AccountError> {
    let is_found: bool = sqlx::query_scalar("select set_user_role($1, $2, $3)")
        .bind(act)
        .bind(user)
        .bind(if is_admin { "admin" } else { "member" })
        .fetch_one(pool)
        .await?;
    if is_found {
        Ok(())
    } else {
        Err(AccountError::NotFound("user"))
    }
}

/// Changes what buyers read of a seller, if the account is at a version that the caller has seen. What is so
/// already makes no new version.
pub async fn change_about(
    pool: &PgPool,
    user: UserId,
    if_match: Option<&[i64]>,
    about: Patch<&str>,
) -> Result<(), AccountError> {
    let is_long = |about: &str| about.chars().count() > ABOUT_CHARS_MAX;
    if matches!(about, Patch::Set(about) if is_long(about)) {
        let message = format!("must have at most {ABOUT_CHARS_MAX} characters");
        return Err(AccountError::field("about", message));
    }
    let mut writer = db::writer(pool).await?;
    let changed = sqlx::query(
        "update users
         set about = case when $2 then $3 else about end,
             profile_version = profile_version + ($2 and about is distinct from $3)::integer
         where id = $1
           and ($4::bigint[] is null or profile_version = any($4))",
    )
    .bind(user)
    .bind(about != Patch::Keep)
    .bind(about.set())
    .bind(if_match)
    .execute(&mut *writer)
    .await?;
    writer.finish().await?;
    if changed.rows_affected() == 1 {
        return Ok(());
    }
    let current: i64 = sqlx::query_scalar("select profile_version from users where id = $1")
        .bind(user)
        .fetch_one(pool)
        .await?;
    Err(AccountError::VersionChanged { current })
}
