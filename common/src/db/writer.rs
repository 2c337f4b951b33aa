//! Writes of one statement: on a connection that commits by itself, or, under a lease, in a transaction that holds it.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::{begin, commit, current_lease};

/// What one statement writes through. Only [`Writer::finish`] makes sure that what it wrote stays.
#[derive(Debug)]
pub enum Writer {
    Connection(PoolConnection<Postgres>),
    Transaction(Transaction<'static, Postgres>),
}

/// Opens one.
pub async fn writer(pool: &PgPool) -> Result<Writer, sqlx::Error> {
    match current_lease() {
        None => pool.acquire().await.map(Writer::Connection),
        Some(_) => begin(pool).await.map(Writer::Transaction),
    }
}

impl Writer {
    /// Commits, if that has not happened.
    pub async fn finish(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Connection(_) => Ok(()),
            Self::Transaction(transaction) => commit(transaction).await,
        }
    }
}

impl Deref for Writer {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }
}
