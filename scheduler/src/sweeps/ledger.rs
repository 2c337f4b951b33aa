//! The ledger's own sweeps.

use common::db::{Error, PgPool};
use common::ledger::{self, audit};
use common::limits::FOLD_DELTAS_MAX;

use super::Swept;

/// Brings the balances of hot accounts up to date.
pub async fn fold(pool: &PgPool) -> Result<Swept, Error> {
    let folded = ledger::fold(pool, FOLD_DELTAS_MAX).await?;
    Ok(Swept::partly_if(folded >= i64::from(FOLD_DELTAS_MAX)))
}

/// Checks the books against the invariants, and shows what breaks one.
pub async fn audit(pool: &PgPool) -> Result<(), Error> {
    audit::report(&audit::audit(pool).await?);
    Ok(())
}
