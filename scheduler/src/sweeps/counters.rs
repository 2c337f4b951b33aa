//! Brings the packages' counters of sales and downloads up to date.

use common::catalog;
use common::db::{Error, PgPool};
use common::limits::COUNTER_FOLD_ROWS_MAX;

use super::Swept;

/// One step.
pub async fn sweep(pool: &PgPool) -> Result<Swept, Error> {
    let folded = catalog::fold_counters(pool).await?;
    Ok(Swept::partly_if(
        folded >= COUNTER_FOLD_ROWS_MAX.unsigned_abs(),
    ))
}
