//! Works out the reputation of agents whose tasks have ended.

use common::agent_tasks::reputation;
use common::limits::REPUTATION_STEP_ROWS_MAX;
use common::outbox::Outbox;

use super::Swept;

/// One step.
pub async fn score(outbox: &Outbox) -> Result<Swept, common::db::Error> {
    let scored = reputation::score_due(outbox).await?;
    Ok(Swept::partly_if(scored == REPUTATION_STEP_ROWS_MAX))
}
