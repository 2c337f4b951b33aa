//! A session-level advisory lock on a connection of its own.

use sqlx::{Connection as _, PgConnection, PgPool};

/// Holds the lock as long as it lives.
#[derive(Debug)]
pub struct LockConnection(PgConnection);

impl LockConnection {
    /// The lock, if it is free.
    pub async fn try_lock(pool: &PgPool, lock: i64) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let is_locked: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(lock)
            .fetch_one(&mut connection)
            .await?;
        Ok(is_locked.then_some(Self(connection)))
    }

    /// Whether the connection, and so the lock, still stands.
    pub async fn is_alive(&mut self) -> bool {
        self.0.ping().await.is_ok()
    }
}
