//! Ends purchases that were not settled in time.

use common::db::Error;
use common::outbox::Outbox;
use common::purchases;

use super::Swept;

/// Purchases that one round ends.
const ROUND_MAX: i64 = 100;

/// One round.
pub async fn sweep(outbox: &Outbox) -> Result<Swept, Error> {
    let overdue = purchases::overdue(outbox.pool(), ROUND_MAX).await?;
    let is_full = i64::try_from(overdue.len()).is_ok_and(|found| found >= ROUND_MAX);
    for id in overdue {
        if purchases::commands::expire(outbox, id).await? {
            tracing::warn!(purchase.id = %id, "A purchase was not settled in time");
        }
    }
    Ok(Swept::partly_if(is_full))
}
