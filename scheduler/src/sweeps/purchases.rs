//! Ends purchases that were not settled in time, and gives back supply that is reserved no more.

use common::db::Error;
use common::outbox::Outbox;
use common::purchases;

/// Purchases that one round ends.
const ROUND_MAX: i64 = 100;

/// One round.
pub async fn sweep(outbox: &Outbox) -> Result<(), Error> {
    for id in purchases::overdue(outbox.pool(), ROUND_MAX).await? {
        if purchases::commands::expire(outbox, id).await? {
            tracing::warn!(purchase.id = %id, "A purchase was not settled in time");
        }
    }
    Ok(())
}
