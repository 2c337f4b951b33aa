//! Has the cards of agents fetched again.

use common::agents::card;
use common::limits::CARD_RENEWALS_MAX;
use common::outbox::Outbox;

use super::Swept;

/// One step.
pub async fn renew(outbox: &Outbox) -> Result<Swept, common::db::Error> {
    let renewed = card::renew(outbox).await?;
    Ok(Swept::partly_if(renewed as i64 == CARD_RENEWALS_MAX))
}
