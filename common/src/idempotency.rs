//! Idempotency keys: the first answer to a request, kept in the transaction of its effect.
//!
//! Nothing is written before the effect, so a crash leaves no key behind, and two requests with one
//! key race for the row at commit: the loser sees the winner's answer and undoes its own work.
//!
//! An answer is for whoever made it: the same key or session, or another credential of the user that
//! may do at least as much. To all others it is the answer to another request. Callers authorise first,
//! and keep no secret in an answer.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use crate::identity::{self, Authority};
use crate::ids::{ApiKeyId, UserId};

/// A key in its scope: one user's calls of one endpoint.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub user: UserId,
    /// The key that acts; for a session the user's own.
    pub acting: ApiKeyId,
    pub endpoint: &'static str,
    pub key: String,
}

/// The answer that a key got.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredAnswer {
    /// Digest of the content that the key came with; empty, and so that of no request, if whoever asks
    /// may do less than whoever was answered.
    pub fingerprint: Vec<u8>,
    pub status: i16,
    pub body: serde_json::Value,
}

/// The answer of an earlier request with this key.
pub async fn find(
    pool: &PgPool,
    key: &IdempotencyKey,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    find_in_tx(&mut connection, key).await
}

/// The same, inside a transaction that holds a lock on what the key is about.
pub async fn find_in_tx(
    conn: &mut PgConnection,
    key: &IdempotencyKey,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    let found: Option<Recorded> = sqlx::query_as(
        "select fingerprint, status, body, api_key_id
         from idempotency_keys
         where user_id = $1
           and endpoint = $2
           and key = $3",
    )
    .bind(key.user)
    .bind(key.endpoint)
    .bind(&key.key)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(Recorded {
        mut answer,
        made_by,
    }) = found
    else {
        return Ok(None);
    };
    if !may_see(conn, key, made_by).await? {
        answer.fingerprint.clear();
    }
    Ok(Some(answer))
}

/// An answer, and the key that got it; none for one from before that was recorded.
#[derive(Debug, sqlx::FromRow)]
struct Recorded {
    #[sqlx(flatten)]
    answer: StoredAnswer,
    #[sqlx(rename = "api_key_id")]
    made_by: Option<ApiKeyId>,
}

/// Whether whoever asks may do at least what whoever was answered may.
async fn may_see(
    conn: &mut PgConnection,
    key: &IdempotencyKey,
    made_by: Option<ApiKeyId>,
) -> Result<bool, sqlx::Error> {
    if made_by == Some(key.acting) {
        return Ok(true);
    }
    let asking = identity::find_key(&mut *conn, key.user, key.acting).await?;
    let made_by = match made_by {
        Some(id) => identity::find_key(conn, key.user, id).await?,
        None => None,
    };
    let made_by = made_by.map_or_else(Authority::full, |key| key.authority());
    Ok(asking.is_some_and(|asking| made_by.wider_in(&asking.authority()).is_none()))
}

/// Keeps the answer, or shows the one that another request with the key got first; then the
/// caller's transaction must not commit.
pub async fn record_in_tx(
    conn: &mut PgConnection,
    key: &IdempotencyKey,
    answer: &StoredAnswer,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    let recorded = sqlx::query(
        "insert into idempotency_keys (user_id, endpoint, key, fingerprint, status, body, api_key_id)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing",
    )
    .bind(key.user)
    .bind(key.endpoint)
    .bind(&key.key)
    .bind(&answer.fingerprint)
    .bind(answer.status)
    .bind(&answer.body)
    .bind(key.acting)
    .execute(&mut *conn)
    .await?;
    if recorded.rows_affected() == 1 {
        Ok(None)
    } else {
        find_in_tx(conn, key).await
    }
}

/// Forgets keys whose time is over.
pub async fn prune(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query(
        "delete from idempotency_keys where created_at < now() - make_interval(secs => $1)",
    )
    .bind(kept.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(pruned.rows_affected())
}
