//! Wakes payments that are not over and that nobody looks after.

use common::db::Error;
use common::limits::CARD_LOOKS_ROWS_MAX;
use common::outbox::Outbox;
use common::payments;

/// One round.
pub async fn sweep(outbox: &Outbox) -> Result<(), Error> {
    let woken = payments::commands::wake_idle(outbox, CARD_LOOKS_ROWS_MAX).await?;
    if woken > 0 {
        tracing::info!(
            payments.count = woken,
            "Woke payments that nobody looked after"
        );
    }
    Ok(())
}
