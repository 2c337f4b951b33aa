//! Folds what was counted of sales, downloads and reputation into the rows of the packages.
//!
//! Counting appends, so that a popular package is not one hot row; folding moves each count exactly
//! once, because it is taken away in the statement that adds it. That statement is a function of the schema:
//! nobody else writes these figures.

use sqlx::PgPool;

use crate::limits::COUNTER_FOLD_ROWS_MAX;

/// One step: how many counts were folded.
pub async fn fold_counters(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let folded: i64 = sqlx::query_scalar("select fold_counters($1)")
        .bind(COUNTER_FOLD_ROWS_MAX)
        .fetch_one(pool)
        .await?;
    Ok(folded.unsigned_abs())
}
