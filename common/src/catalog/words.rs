//! The words that spelling is corrected by: those of packages on the market, kept by triggers.

use sqlx::PgPool;

use crate::limits::WORDS_SWEPT_MAX;

/// Takes words away that are in no package on the market any more: how many.
pub async fn sweep_words(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let swept: i64 = sqlx::query_scalar("select sweep_words($1)")
        .bind(WORDS_SWEPT_MAX)
        .fetch_one(pool)
        .await?;
    Ok(swept.unsigned_abs())
}
