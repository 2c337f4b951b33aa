//! Fills in who is present if Redis has lost it or a while has passed, and takes those whose time is over out of its sets.

use common::agents::{PresenceBoard, PresenceError};
use common::db::PgPool;
use common::limits::PRESENCE_ROWS_MAX;

use super::Swept;

/// One step.
pub async fn sweep(pool: &PgPool, presence: &PresenceBoard) -> Result<Swept, PresenceError> {
    presence.fill_if_due(pool).await?;
    let swept = presence.sweep().await?;
    Ok(Swept::partly_if(swept == PRESENCE_ROWS_MAX))
}
