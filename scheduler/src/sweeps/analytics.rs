//! Rolls analytics up.

use common::analytics;
use common::config::RetentionConfig;
use common::db::{Error, PgPool};

use super::Swept;

/// One step.
pub async fn roll_up(pool: &PgPool, retention: RetentionConfig) -> Result<Swept, Error> {
    let is_left = analytics::roll_up(pool, retention).await?;
    Ok(Swept::partly_if(is_left))
}
