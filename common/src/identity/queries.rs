//! Reads of identity.

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{ApiKey, Authority, IdentityError, KeySummary, Principal, Sealer};
use crate::ids::{ApiKeyId, SessionId, UserId};

/// `last_used_at` is kept to this, so that a busy key does not write a row per request.
const LAST_USED_SECONDS: f64 = 60.0;

/// Whose key this is, if it lives and its user is not blocked. Notes its use.
pub async fn authenticate(pool: &PgPool, key: &ApiKey) -> Result<Option<Principal>, sqlx::Error> {
    let row: Option<(ApiKeyId, UserId, Vec<String>, bool)> = sqlx::query_as(
        "select api_keys.id, user_id, permissions,
                last_used_at is null or last_used_at < now() - make_interval(secs => $2)
         from api_keys
         join users on users.id = user_id
         where digest = $1
           and revoked_at is null
           and (expires_at is null or expires_at > now())
           and not is_own
           and blocked_at is null",
    )
    .bind(key.digest())
    .bind(LAST_USED_SECONDS)
    .fetch_optional(pool)
    .await?;
    let Some((id, user, permissions, is_stale)) = row else {
        return Ok(None);
    };
    if is_stale {
        sqlx::query("update api_keys set last_used_at = now() where id = $1")
            .bind(id)
            .execute(pool)
            .await?;
    }
    let permissions = permissions
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    Ok(Some(Principal {
        user,
        key: id,
        permissions,
        session: None,
        is_admin: false,
    }))
}

/// The name of that user, to be shown.
pub async fn find_name(pool: &PgPool, user: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select name from users where id = $1")
        .bind(user)
        .fetch_optional(pool)
        .await
}

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "select api_keys.id, user_id, users.name as user_name, api_keys.name, prefix, permissions,
                    budget_day_minor, budget_purchase_minor, package_types, line_id, api_keys.created_at,
                    last_used_at, expires_at, revoked_at
             from api_keys
             join users on users.id = api_keys.user_id ",
            $rest
        )
    };
}

/// Keys, newest first: one user's, or all.
pub async fn list_keys(
    pool: &PgPool,
    user_name: Option<&str>,
) -> Result<Vec<KeySummary>, sqlx::Error> {
    sqlx::query_as(select_keys!(
        "where ($1::text is null or users.name = $1)
           and not is_own
         order by api_keys.created_at desc, api_keys.id desc
         limit 200"
    ))
    .bind(user_name)
    .fetch_all(pool)
    .await
}

/// A user's keys, newest first; those that were revoked too.
pub async fn list_keys_of(pool: &PgPool, user: UserId) -> Result<Vec<KeySummary>, sqlx::Error> {
    sqlx::query_as(select_keys!(
        "where user_id = $1
           and not is_own
         order by api_keys.created_at desc, api_keys.id desc
         limit 200"
    ))
    .bind(user)
    .fetch_all(pool)
    .await
}

/// A key of a user, also the one that nobody sees.
pub async fn find_key(
    executor: impl PgExecutor<'_>,
    user: UserId,
    id: ApiKeyId,
) -> Result<Option<KeySummary>, sqlx::Error> {
    sqlx::query_as(select_keys!("where user_id = $1 and api_keys.id = $2"))
        .bind(user)
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// The condition that the key `$2` of the user `$1`, and the session `$3` if there is one, still live.
macro_rules! lives {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " where user_id = $1
                and api_keys.id = $2
                and revoked_at is null
                and (expires_at is null or expires_at > now())
                and blocked_at is null
                and ($3::uuid is null or exists (
                    select
                    from sessions
                    where sessions.id = $3
                      and sessions.user_id = $1
                      and sessions.revoked_at is null
                      and sessions.expires_at > now()
                )) ",
            $after
        )
    };
}

/// Whether a credential that was let in would still be.
pub async fn is_live(
    executor: impl PgExecutor<'_>,
    user: UserId,
    key: ApiKeyId,
    session: Option<SessionId>,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(lives!(
        "select exists (select from api_keys join users on users.id = user_id",
        ")"
    ))
    .bind(user)
    .bind(key)
    .bind(session)
    .fetch_one(executor)
    .await
}

/// How far a caller reaches now. The key is not revoked before the transaction ends.
pub async fn authority_in_tx(
    conn: &mut PgConnection,
    caller: &Principal,
) -> Result<Authority, IdentityError> {
    let key: Option<KeySummary> = sqlx::query_as(lives!(
        "select api_keys.id, user_id, users.name as user_name, api_keys.name, prefix, permissions,
                budget_day_minor, budget_purchase_minor, package_types, line_id, api_keys.created_at,
                last_used_at, expires_at, revoked_at
         from api_keys
         join users on users.id = api_keys.user_id",
        "for share of api_keys"
    ))
    .bind(caller.user)
    .bind(caller.key)
    .bind(caller.session)
    .fetch_optional(conn)
    .await?;
    key.map(|key| key.authority())
        .ok_or(IdentityError::CallerEnded)
}

/// Opens a key to sign with it. A revoked key still signs what was promised while it lived.
pub async fn signing_key(
    pool: &PgPool,
    sealer: &Sealer,
    id: ApiKeyId,
) -> Result<ApiKey, IdentityError> {
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from api_keys where id = $1")
        .bind(id)
        .fetch_optional(pool)
        .await?
        .ok_or(IdentityError::NotFound)?;
    sealer.open(id, &sealed)
}

/// Whose key it is.
pub async fn owner_of_key(pool: &PgPool, id: ApiKeyId) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar("select user_id from api_keys where id = $1")
        .bind(id)
        .fetch_optional(pool)
        .await
}
