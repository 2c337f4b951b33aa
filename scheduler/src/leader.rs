//! One leads: whoever holds an advisory lock on a connection of its own. When that connection or its
//! process dies, PostgreSQL lets the lock go and another scheduler takes it.
//!
//! Two leaders for a moment would do no harm: every sweep is idempotent.

use common::db::{Error, LockConnection, PgPool};

/// "awareness scheduler", as a number that nothing else locks.
const LOCK: i64 = 0x6177_7363_6864;

/// The lock, held or wanted.
#[derive(Debug)]
pub struct Leadership {
    pool: PgPool,
    held: Option<LockConnection>,
}

impl Leadership {
    /// Not yet the leader.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, held: None }
    }

    /// Whether this process leads now; takes the lock if it is free.
    pub async fn holds(&mut self) -> Result<bool, Error> {
        if let Some(connection) = &mut self.held {
            if connection.is_alive().await {
                return Ok(true);
            }
            self.held = None;
        }
        self.held = LockConnection::try_lock(&self.pool, LOCK).await?;
        Ok(self.held.is_some())
    }
}
