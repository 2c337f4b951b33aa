//! Reads of accounts.

use std::time::Duration;

use sqlx::PgPool;

use super::{AccessClaims, Account, Profile, SessionSummary, UserSummary};
use crate::identity::{Permission, Principal};
use crate::ids::{ApiKeyId, UserId};

/// `last_used_at` is kept to this, so that a busy session does not write a row per request.
const LAST_USED_SECONDS: f64 = 60.0;

/// Who holds an access token, if its session lives and its user is not blocked. Notes its use.
pub async fn authenticate(
    pool: &PgPool,
    claims: &AccessClaims,
) -> Result<Option<Principal>, sqlx::Error> {
    let row: Option<(UserId, ApiKeyId, bool, bool)> = sqlx::query_as(
        "select users.id, api_keys.id, role = 'admin',
                sessions.last_used_at < now() - make_interval(secs => $3)
         from sessions
         join users on users.id = sessions.user_id
         join api_keys on api_keys.user_id = users.id and is_own
         where sessions.id = $1
           and users.id = $2
           and sessions.revoked_at is null
           and sessions.expires_at > now()
           and sessions.password_version = users.password_version
           and blocked_at is null",
    )
    .bind(claims.sid)
    .bind(claims.sub)
    .bind(LAST_USED_SECONDS)
    .fetch_optional(pool)
    .await?;
    let Some((user, key, is_admin, is_stale)) = row else {
        return Ok(None);
    };
    if is_stale {
        sqlx::query("update sessions set last_used_at = now() where id = $1")
            .bind(claims.sid)
            .execute(pool)
            .await?;
    }
    Ok(Some(Principal {
        user,
        key,
        permissions: Permission::ALL.to_vec(),
        session: Some(claims.sid),
        is_admin,
    }))
}

/// An account as its owner sees it.
pub async fn find_account(pool: &PgPool, user: UserId) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as(
        "select id, kind, name, email, password_hash is not null as has_password,
                github_id is not null as has_github, role, agent_type, metadata, about, package_count,
                profile_version as version, created_at
         from users
         where id = $1",
    )
    .bind(user)
    .fetch_optional(pool)
    .await
}

/// A user as everybody sees one.
pub async fn find_profile(pool: &PgPool, user: UserId) -> Result<Option<Profile>, sqlx::Error> {
    sqlx::query_as(
        "select id, name, kind, about, created_at
         from users
         where id = $1
           and blocked_at is null",
    )
    .bind(user)
    .fetch_optional(pool)
    .await
}

/// The live sessions of a user, the newest first.
pub async fn list_sessions(
    pool: &PgPool,
    user: UserId,
) -> Result<Vec<SessionSummary>, sqlx::Error> {
    sqlx::query_as(
        "select id, user_agent, address, created_at, last_used_at, expires_at
         from sessions
         where user_id = $1
           and revoked_at is null
           and expires_at > now()
           and password_version = (select users.password_version from users where users.id = $1)
         order by created_at desc, id desc",
    )
    .bind(user)
    .fetch_all(pool)
    .await
}

/// Which users an operator looks for.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    pub name_contains: Option<String>,
    /// The name to the letter: names look alike, and ids do not.
    pub name: Option<String>,
    pub before: Option<UserId>,
}

/// Users, newest first, from behind `before` on.
pub async fn list_users(
    pool: &PgPool,
    filter: &UserFilter,
    limit: i64,
) -> Result<Vec<UserSummary>, sqlx::Error> {
    sqlx::query_as(
        "select id, name, kind, role, package_count, created_at, blocked_at
         from users
         where ($1::text is null or position(lower($1) in lower(name)) > 0)
           and ($2::uuid is null or id < $2)
           and ($4::text is null or name = $4)
         order by id desc
         limit $3",
    )
    .bind(&filter.name_contains)
    .bind(filter.before)
    .bind(limit)
    .bind(&filter.name)
    .fetch_all(pool)
    .await
}

/// Forgets sessions that ended before that.
pub async fn prune_sessions(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from sessions
         where coalesce(revoked_at, expires_at) < now() - make_interval(secs => $1)
           and expires_at < now()",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}

/// Forgets those who have not come back from GitHub in time.
pub async fn prune_oauth_attempts(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from oauth_attempts where expires_at < now() - make_interval(secs => $1)",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}

/// Forgets devices that were last used before that.
pub async fn prune_devices(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from sign_in_devices where last_used_at < now() - make_interval(secs => $1)",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}
