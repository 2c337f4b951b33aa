//! Brings the packages' counters of sales and downloads up to date.

use common::catalog;
use common::db::{Error, PgPool};
use common::limits::COUNTER_FOLD_ROWS_MAX;

/// Steps of one round: more is left to the next.
const STEPS_MAX: usize = 20;

/// One round: until nothing is left to fold, or enough was done.
pub async fn sweep(pool: &PgPool) -> Result<(), Error> {
    for _ in 0..STEPS_MAX {
        if catalog::fold_counters(pool).await? < COUNTER_FOLD_ROWS_MAX.unsigned_abs() {
            break;
        }
    }
    Ok(())
}
