//! Idempotency keys: the first answer to a request, kept in the transaction of its effect.
//!
//! Nothing is written before the effect, so a crash leaves no key behind, and two requests with one
//! key race for the row at commit: the loser sees the winner's answer and undoes its own work.

use sqlx::{PgConnection, PgPool};

use crate::ids::UserId;
use crate::limits::IDEMPOTENCY_HOURS;

/// A key in its scope: one user's calls of one endpoint.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub user: UserId,
    pub endpoint: &'static str,
    pub key: String,
}

/// The answer that a key got.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredAnswer {
    /// Digest of the content that the key came with.
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
    sqlx::query_as(
        "select fingerprint, status, body
         from idempotency_keys
         where user_id = $1
           and endpoint = $2
           and key = $3",
    )
    .bind(key.user)
    .bind(key.endpoint)
    .bind(&key.key)
    .fetch_optional(conn)
    .await
}

/// Keeps the answer, or shows the one that another request with the key got first; then the
/// caller's transaction must not commit.
pub async fn record_in_tx(
    conn: &mut PgConnection,
    key: &IdempotencyKey,
    answer: &StoredAnswer,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    let recorded = sqlx::query(
        "insert into idempotency_keys (user_id, endpoint, key, fingerprint, status, body)
         values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing",
    )
    .bind(key.user)
    .bind(key.endpoint)
    .bind(&key.key)
    .bind(&answer.fingerprint)
    .bind(answer.status)
    .bind(&answer.body)
    .execute(&mut *conn)
    .await?;
    if recorded.rows_affected() == 1 {
        Ok(None)
    } else {
        find_in_tx(conn, key).await
    }
}

/// Forgets keys whose time is over.
pub async fn prune(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query("delete from idempotency_keys where created_at < now() - make_interval(hours => $1::integer)")
        .bind(IDEMPOTENCY_HOURS)
        .execute(pool)
        .await?;
    Ok(pruned.rows_affected())
}
