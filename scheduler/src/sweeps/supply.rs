//! Gives back supply whose reservation is over, and notifies the buyers who wait for it.

use common::db::Error;
use common::outbox::Outbox;
use common::purchases;

/// One round.
pub async fn sweep(outbox: &Outbox) -> Result<(), Error> {
    let released = purchases::release_overdue(outbox).await?;
    if released > 0 {
        tracing::info!(purchases.count = released, "Released reserved supply");
    }
    let notified = purchases::notify_watchers(outbox).await?;
    if notified > 0 {
        tracing::info!(users.count = notified, "Notified buyers of free supply");
    }
    Ok(())
}
