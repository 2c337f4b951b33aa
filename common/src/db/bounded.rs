//! Transactions for reads that may be dear: they begin with a deadline of their own for each statement.

use sqlx::{PgPool, Postgres, Transaction};

/// Whether PostgreSQL gave a statement up because its time was over.
pub fn is_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("57014")
}

/// Opens a transaction with a statement that says its rules, in a task of its own: a caller that is
/// cancelled halfway must not leave one open in the pool.
pub async fn begin_with(
    pool: &PgPool,
    begin: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.begin_with(begin).await })
        .await
        .map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?
}
