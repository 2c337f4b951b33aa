//! Transactions for reads that may be dear: they begin with a deadline of their own for each statement.

use sqlx::{PgPool, Postgres, Transaction};

use super::to_its_end;

/// Whether PostgreSQL gave a statement up because its time was over.
pub fn is_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("57014")
}

/// Whether PostgreSQL gave a statement up because others held what it wanted to lock.
pub fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("55P03")
}

/// Opens a transaction with a statement that says its rules, in a task of its own: a caller that is
/// cancelled halfway must not leave one open in the pool.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one that cannot leak"
)]
pub async fn begin_with(
    pool: &PgPool,
    begin: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    to_its_end(tokio::spawn(async move { pool.begin_with(begin).await })).await
}
